import type { ChildProcess } from 'node:child_process';
import type { FieldProblem } from '../../base/errors.js';
import type { Json, JsonObject } from '../../base/json.js';
import { explainHang } from './hang-watch.js';
import { howEnded, startHostChild } from './host-child.js';

/** A question about a module, sent over the channel to the process that has loaded it. */
export type ModuleQuestion = { ask: 'describe' } | { ask: 'check'; type: string; payload: Json };

/** The answer; `failed` when the module could not be imported, `problem` when the schema rejects the payload. */
export type ModuleAnswer =
  | { kind: 'described'; agents: DescribedAgent[]; files: string[] }
  | {
      kind: 'checked';
      problem: string | undefined;
      fields?: readonly FieldProblem[] | undefined;
      agents: DescribedAgent[];
      files: string[];
    }
  | ModuleFailure;

export interface ModuleFailure {
  kind: 'failed';
  reason: string;
  /** Absolute paths of what it has imported of the user's own files, itself included, as far as is known. */
  files: string[];
}

/** The description of an agent, as plain data. */
export interface DescribedAgent {
  type: string;
  description: string;
  concurrency: number | undefined;
  timeoutSeconds: number | undefined;
  /** The payload as JSON schema; undefined where its library cannot produce one. */
  schema: JsonObject | undefined;
}

/** A run of an agent without a job. */
export interface TrialRequest {
  type: string;
  payload: Json;
  /** Gets its files. */
  directory: string;
  timeoutSeconds: number;
}

/** What an agent says while it is tried. */
export type TriedEvent =
  | { kind: 'progress'; fraction: number; message: string | undefined }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields: JsonObject | undefined }
  | { kind: 'output'; text: string }
  | { kind: 'restart' }
  | { kind: 'warn'; message: string };

export interface TriedOutcome {
  status: 'completed' | 'failed';
  /** Of one that failed, what it kept by `partial`. */
  result?: Json | undefined;
  code?: string;
  message?: string;
  stack?: string | undefined;
  artifacts?: { name: string; path: string; sizeBytes: number }[];
}

export interface ModuleHostNeeds {
  /** Path of the bundled `agent-host`. */
  entry: string;
  /** The whole environment of the child process. */
  env: Readonly<Record<string, string>>;
  /** 512 unless given. */
  heapMb?: number;
  /** Whether what the module prints is for this process's stderr. */
  isLoud?: boolean;
}

const usualHeapMb = 512;

/** The process watches itself, by its own CPU time; this is for one that cannot, because somebody has stopped it. */
const longestMs = 300_000;

interface TriedAnswer {
  kind: 'tried';
  outcome: TriedOutcome;
}

/** What the process of a module says of itself. */
type Message = { id: number; answer: ModuleAnswer | TriedAnswer } | { imported: string[] } | { event: TriedEvent };

/** A child process that has loaded a module, or is about to. */
export class ModuleProcess {
  readonly #path: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: ModuleAnswer | TriedAnswer) => void>();
  #listener: (event: TriedEvent) => void = () => {};
  #asked = 0;
  #imported: string[] = [];
  /** Whether the process has ended, or is about to. */
  isOver = false;

  constructor(path: string, { entry, env, heapMb = usualHeapMb, isLoud = false }: ModuleHostNeeds) {
    this.#path = path;
    const { child, printed } = startHostChild({ entry, module: path, env, heapMb, isLoud });
    this.#child = child;
    this.#child.on('message', (message: Message) => {
      if ('imported' in message) this.#imported = message.imported;
      else if ('event' in message) this.#listener(message.event);
      else this.#settle(message.id, message.answer);
    });
    this.#child.on('error', (error) => this.#fail(`Its process cannot be started: ${error.message}`));
    this.#child.on('close', (code, signal) => this.#fail(explainHang(signal) ?? explainEnd(code, signal, printed())));
  }

  ask(question: ModuleQuestion): Promise<ModuleAnswer> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      // The timer also keeps this process alive while it waits.
      const timer = setTimeout(() => {
        this.#fail(`It did not answer within ${longestMs / 1000} s.`);
        this.#child.kill('SIGKILL');
      }, longestMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        if (answer.kind !== 'tried') resolve(answer);
      });
      this.#send({ id, question });
    });
  }

  /** Runs an agent of the module once, without a job. Never rejects. */
  async try(request: TrialRequest, listener: (event: TriedEvent) => void): Promise<TriedOutcome> {
    const id = ++this.#asked;
    this.#listener = listener;
    this.#child.ref();
    const answer = await new Promise<ModuleAnswer | TriedAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ id, question: { ask: 'try', request } });
    });
    if (answer.kind === 'tried') return answer.outcome;
    const message = answer.kind === 'failed' ? answer.reason : 'It gave no answer.';
    return { status: 'failed', code: 'not_configured', message };
  }

  /** Aborts the signal of the agent that is being tried. */
  stop(): void {
    this.#send({ stop: true });
  }

  #send(message: object): void {
    this.#child.send(message, (error) => {
      if (error) this.#fail(`It cannot be asked: ${error.message}`);
    });
  }

  end(): void {
    this.#fail('It was closed.');
    this.#child.kill('SIGKILL');
  }

  #settle(id: number, answer: ModuleAnswer | TriedAnswer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #fail(reason: string): void {
    this.isOver = true;
    const files = this.#imported.length > 0 ? this.#imported : [this.#path];
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: 'failed', reason, files });
  }
}

function explainEnd(code: number | null, signal: string | null, printed: string): string {
  const words = printed === '' ? '' : ` It printed: ${JSON.stringify(printed)}`;
  return `It ended its process ${howEnded(code, signal)} while it was loaded.${words}`;
}
