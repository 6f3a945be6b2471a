import type { ChildProcess } from 'node:child_process';
import type { JsonObject } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import type { EventFilter } from '../../core/event-targets/event-target.js';
import { explainHang } from '../modules/hang-watch.js';
import { howEnded, startHostChild } from '../modules/host-child.js';
import type { SinkEvent } from './define-sink.js';

/** What is sent to the process of a sink. */
export type ToSink = { id: number; events: readonly SinkEvent[]; timeoutMs: number } | { close: true };

/** What it says. */
export type ToParent =
  | { ready: SinkLimits }
  | { failed: string }
  | { id: number; error: string | undefined }
  | {
      log: { level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields: JsonObject | undefined };
    };

export interface SinkLimits {
  batchSize: number;
  timeoutMs: number;
}

/** A sink as it is configured. */
export interface SinkSetting {
  /** Absolute path of its module. */
  module: string;
  /** The whole environment of its process. */
  env: Readonly<Record<string, string>>;
  filter: EventFilter;
}

export interface SinkProcessNeeds extends Pick<SinkSetting, 'module' | 'env'> {
  name: string;
  /** Path of the bundled `agent-host`. */
  entry: string;
  log: Log;
}

const heapMb = 512;
/** What a sink may take beyond the limit of a batch to end its work. */
const graceMs = 5_000;

/** A child process that has loaded a sink: it may print, hang, leak or crash without harm to this one. */
export class SinkProcess {
  readonly #needs: SinkProcessNeeds;
  readonly #child: ChildProcess;
  readonly #limits: Promise<SinkLimits>;
  #isReady: (limits: SinkLimits) => void = () => {};
  #isUnusable: (reason: Error) => void = () => {};
  #waiting: { id: number; settle(error: string | undefined): void } | undefined;
  #asked = 0;
  /** Whether the process has ended, or is about to. */
  isOver = false;

  constructor(needs: SinkProcessNeeds) {
    const { entry, module, name, env } = needs;
    this.#needs = needs;
    this.#limits = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      this.#isUnusable = reject;
    });
    this.#limits.catch(() => {});
    const { child, printed } = startHostChild({ entry, module, args: ['sink', name], env, heapMb });
    this.#child = child;
    this.#child.on('message', (message: ToParent) => this.#hear(message));
    this.#child.on('error', (error) => this.#fail(`its process cannot be started: ${error.message}`));
    this.#child.on('close', (code, signal) => this.#fail(explainHang(signal) ?? explainEnd(code, signal, printed())));
  }

  /** What it takes at once. Rejects with the reason when the module cannot be used. */
  limits(): Promise<SinkLimits> {
    return this.#limits;
  }

  /** Gives it a batch; resolves to undefined when it has taken it, else to why not. One at a time. */
  async write(events: readonly SinkEvent[]): Promise<string | undefined> {
    const { timeoutMs } = await this.#limits;
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#fail(`it did not take a batch within ${timeoutMs / 1000} s`);
        this.#child.kill('SIGKILL');
      }, timeoutMs + graceMs).unref();
      this.#waiting = {
        id,
        settle(error) {
          clearTimeout(timer);
          resolve(error);
        },
      };
      this.#send({ id, events, timeoutMs });
    });
  }

  /** Lets it close its connections; synchronous. */
  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#send({ close: true });
    setTimeout(() => this.#child.kill('SIGKILL'), graceMs).unref();
  }

  #send(message: ToSink): void {
    this.#child.send(message, (error) => {
      if (error) this.#fail(`it cannot be reached: ${error.message}`);
    });
  }

  #hear(message: ToParent): void {
    if ('ready' in message) this.#isReady(message.ready);
    else if ('failed' in message) this.#fail(message.failed);
    else if ('log' in message) {
      const { level, message: text, fields } = message.log;
      this.#needs.log[level](text, { sink: this.#needs.name, ...fields });
    } else if (message.id === this.#waiting?.id) {
      this.#waiting.settle(message.error);
      this.#waiting = undefined;
    }
  }

  #fail(reason: string): void {
    this.isOver = true;
    this.#isUnusable(new Error(reason));
    this.#waiting?.settle(reason);
    this.#waiting = undefined;
    // One whose module cannot be loaded has nothing more to do.
    this.#child.kill();
  }
}

const explainEnd = (code: number | null, signal: string | null, printed: string): string =>
  `its process ended ${howEnded(code, signal)}${printed === '' ? '' : `, having printed: ${printed}`}`;
