import type { TriedEvent } from '../../agents/modules/module-process.js';
import type { JsonObject } from '../../base/json.js';
import { createProgressLine } from '../jobs/progress-line.js';
import type { Output } from '../output.js';

/** What an agent has said; shown as it comes to who looks on. */
export class TrialRecord {
  readonly #redact: (text: string) => string;
  readonly #output: Output | undefined;
  readonly #line = createProgressLine(process.stderr);
  readonly #logs: { level: string; message: string; fields?: JsonObject | undefined }[] = [];
  readonly #warnings: string[] = [];
  #text = '';
  #progress: number | undefined;

  /** @param output where it is shown, if it is */
  constructor(redact: (text: string) => string, output: Output | undefined) {
    this.#redact = redact;
    this.#output = output;
  }

  add(event: TriedEvent): void {
    if (event.kind === 'progress') this.#addProgress(event.fraction, event.message);
    else if (event.kind === 'log') this.#addLog(event);
    else if (event.kind === 'output') this.#text += event.text;
    else if (event.kind === 'restart') this.#text = '';
    else {
      const warning = this.#redact(event.message);
      this.#warnings.push(warning);
      this.#say(`warn   ${warning}`);
    }
  }

  end(): void {
    this.#line.end();
  }

  document() {
    return { progress: this.#progress, output: this.#text, warnings: this.#warnings, logs: this.#logs };
  }

  #addLog({ level, message, fields }: TriedEvent & { kind: 'log' }): void {
    const shown = fields === undefined ? undefined : this.#redact(JSON.stringify(fields));
    const text = this.#redact(message);
    this.#logs.push({ level, message: text, fields: shown === undefined ? undefined : JSON.parse(shown) });
    this.#say(`${level.padEnd(5)}  ${text}${shown === undefined ? '' : `  ${shown}`}`);
  }

  #addProgress(fraction: number, message: string | undefined): void {
    this.#progress = fraction;
    if (!this.#output) return;
    this.#line.show({
      status: 'running',
      progress: fraction,
      progressMessage: message ?? null,
      errorCode: null,
      errorMessage: null,
    });
  }

  #say(line: string): void {
    this.#line.end();
    this.#output?.say(line);
  }
}
