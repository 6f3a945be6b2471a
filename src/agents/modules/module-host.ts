import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { Json, JsonObject } from '../../base/json.js';

/** A question about a module, sent over the channel to the process that has loaded it. */
export type ModuleQuestion = { ask: 'describe' } | { ask: 'check'; type: string; payload: Json };

/** The answer; `failed` when the module could not be imported, `problem` when the schema rejects the payload. */
export type ModuleAnswer =
  | { kind: 'described'; agents: DescribedAgent[] }
  | { kind: 'checked'; problem: string | undefined }
  | { kind: 'failed'; reason: string };

/** The description of an agent, as plain data. */
export interface DescribedAgent {
  type: string;
  description: string;
  concurrency: number | undefined;
  timeoutSeconds: number | undefined;
  /** The payload as JSON schema; undefined where its library cannot produce one. */
  schema: JsonObject | undefined;
}

export interface ModuleHostNeeds {
  /** Path of the bundled `agent-host`. */
  entry: string;
  /** The whole environment of the child process. */
  env: Readonly<Record<string, string>>;
}

/** How long the import of a module or the check of a payload may take. */
const answerMs = 10_000;

/** An idle process is ended, so that the next one sees changes in what the module imports. */
const idleMs = 30_000;

const heapMb = 512;

/** Length of the printed text that is kept to explain why a process ended. */
const stderrLimit = 2_000;

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
    else this.#idle = setTimeout(() => this.close(), idleMs).unref();
    return answer;
  }

  /** Ends the process, synchronously. The next question starts another. */
  close(): void {
    clearTimeout(this.#idle);
    this.#process?.end();
    this.#process = undefined;
  }
}

class ModuleProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: ModuleAnswer) => void>();
  #asked = 0;
  #printed = '';
  /** Whether the process has ended, or is about to. */
  isOver = false;

  constructor(path: string, { entry, env }: ModuleHostNeeds) {
    // Its stdout is discarded, because this process's own stdout may be a protocol.
    this.#child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, entry, path], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      cwd: dirname(path),
      env: { ...env },
      windowsHide: true,
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      this.#printed = (this.#printed + piece).slice(-stderrLimit);
    });
    this.#child.on('message', ({ id, answer }: { id: number; answer: ModuleAnswer }) => this.#settle(id, answer));
    this.#child.on('error', (error) => this.#fail(`Its process cannot be started: ${error.message}`));
    this.#child.on('close', (code, signal) => this.#fail(explainEnd(code, signal, this.#printed)));
    unref(this.#child);
  }

  ask(question: ModuleQuestion): Promise<ModuleAnswer> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      // The timer also keeps this process alive while it waits.
      const timer = setTimeout(() => {
        this.#fail(`It did not answer within ${answerMs / 1000} s: something in it hangs.`);
        this.#child.kill('SIGKILL');
      }, answerMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#child.send({ id, question }, (error) => {
        if (error) this.#settle(id, { kind: 'failed', reason: `It cannot be asked: ${error.message}` });
      });
    });
  }

  end(): void {
    this.#fail('It was closed.');
    this.#child.kill('SIGKILL');
  }

  #settle(id: number, answer: ModuleAnswer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #fail(reason: string): void {
    this.isOver = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: 'failed', reason });
  }
}

/** An idle child must not keep this process alive. */
function unref(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  (child.stderr as { unref?(): void } | null)?.unref?.();
}

function explainEnd(code: number | null, signal: string | null, printed: string): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const words = printed.trim() === '' ? '' : ` It printed: ${JSON.stringify(printed.trim().slice(-500))}`;
  return `It ended its process ${how} while it was loaded.${words}`;
}
