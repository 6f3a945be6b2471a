import { type ModuleAnswer, type ModuleHostNeeds, ModuleProcess, type ModuleQuestion } from './module-process.js';

/** An idle process is ended. One that has checked a payload is likely to be asked again. */
const idleMs = { describe: 5_000, check: 30_000 };

/** Answers questions about one module by a child process that has loaded it, started on demand. */
export class ModuleHost {
  readonly #path: string;
  readonly #needs: ModuleHostNeeds;
  #process: ModuleProcess | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(path: string, needs: ModuleHostNeeds) {
    this.#path = path;
    this.#needs = needs;
  }

  /** Never rejects: a module that does not answer gives the answer `failed`. */
  async ask(question: ModuleQuestion): Promise<ModuleAnswer> {
    clearTimeout(this.#idle);
    if (!this.#process || this.#process.isOver) this.#process = new ModuleProcess(this.#path, this.#needs);
    const answer = await this.#process.ask(question);
    clearTimeout(this.#idle);
    // A failed import stays failed in its process, even after the module is fixed.
    if (answer.kind === 'failed') this.close();
    else this.#idle = setTimeout(() => this.close(), idleMs[question.ask]).unref();
    return answer;
  }

  /** Ends the process, synchronously. The next question starts another. */
  close(): void {
    clearTimeout(this.#idle);
    this.#process?.end();
    this.#process = undefined;
  }
}
