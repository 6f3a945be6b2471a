import type { AgentContext } from '../agents/define-agent.js';
import type { Clock } from '../base/clock.js';
import { type Json, readJson, toJsonText } from '../base/json.js';
import type { Log } from '../base/log.js';
import type { Redact } from '../base/redact.js';
import { type AttemptUpdate, type NewLogEntry, storeUpdate } from '../core/jobs/attempts.js';
import type { JobRow } from '../core/jobs/job.js';
import type { AttemptKey, Spending } from '../core/jobs/outcome.js';
import type { Database } from '../store/sql.js';
import { readArtifacts, readDependencies, saveArtifact } from './artifacts.js';

export interface ProgressWriterNeeds {
  db: Database;
  clock: Clock;
  redact: Redact;
  dataDir: string;
  log?: Log;
}

const flushMs = 500;

/**
 * Of one attempt, of whatever agent: modules of users say as much as they like. More than a model is allowed, whose
 * answers are cut by max_tokens.
 */
const mostOutput = 20_000_000;
const mostLogs = 10_000;
const mostWarnings = 100;

/** Keeps what an agent says while it works, and writes it twice a second. */
export class ProgressWriter {
  readonly #job: JobRow;
  readonly #key: AttemptKey;
  readonly #needs: ProgressWriterNeeds;
  readonly #timer: NodeJS.Timeout;
  #output = '';
  /** Characters of `#output` that are stored. */
  #stored = 0;
  #chunk = 0;
  #restarts = 0;
  #mustRestart = false;
  #progress: AttemptUpdate['progress'];
  readonly #logs: NewLogEntry[] = [];
  #logCount = 0;
  readonly #warnings: string[] = [];
  readonly #spent = { model: undefined as string | undefined, inputTokens: 0, outputTokens: 0 };
  /** What the call under way has used, until it is stored. */
  #live: AttemptUpdate['usage'];
  #partial: Json | undefined;
  #lastFlush: Promise<void> | undefined;

  constructor(job: JobRow, needs: ProgressWriterNeeds) {
    this.#job = job;
    this.#key = { jobId: job.id, token: job.attempt_token ?? '' };
    this.#needs = needs;
    this.#timer = setInterval(() => this.#flush(), flushMs);
  }

  /** The context that the agent works with. */
  context(signal: AbortSignal): AgentContext {
    const { clock, redact, dataDir } = this.#needs;
    return {
      signal,
      dataDir,
      progress: (fraction, message) => {
        const within = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
        this.#progress = { fraction: within, message: message === undefined ? undefined : redact(message) };
      },
      log: (level, message, fields) => {
        if (++this.#logCount > mostLogs) {
          return this.#warnOnce(`The log has more than ${mostLogs} entries; the rest was left out.`);
        }
        const text = fields ? redact(JSON.stringify(fields)) : null;
        this.#logs.push({ at: clock.now(), level, message: redact(message), fields: text });
      },
      output: (text) => {
        const room = mostOutput - this.#output.length;
        this.#output += room >= text.length ? text : text.slice(0, room);
        if (room < text.length)
          this.#warnOnce(`The output has more than ${mostOutput} characters; the rest was left out.`);
      },
      restartOutput: () => this.#restartOutput(),
      usage: ({ model, inputTokens, outputTokens }) => {
        this.#spent.model = model;
        this.#spent.inputTokens += inputTokens;
        this.#spent.outputTokens += outputTokens;
        this.#live = { model, inputTokens: 0, outputTokens: 0 };
      },
      usageSoFar: (usage) => {
        this.#live = usage;
      },
      warn: (message) => {
        if (this.#warnings.length < mostWarnings) this.#warnings.push(redact(message));
      },
      partial: (result) => {
        const text = toJsonText(result);
        if ('problem' in text) this.#warnOnce(`A partial result was left out: its ${text.problem}.`);
        else this.#partial = readJson<Json>(text.text);
      },
      saveArtifact: (name, data) => saveArtifact(this.#needs, this.#key, { name, data, at: clock.now() }),
      artifacts: () => readArtifacts(this.#needs, this.#job.id),
      dependencies: () => readDependencies(this.#needs, this.#job.id),
    };
  }

  /** Writes what is left and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#lastFlush;
    await this.#flush();
  }

  spending(): Spending {
    return { ...this.#spent, output: this.#output, warnings: this.#warnings, partial: this.#partial };
  }

  #warnOnce(message: string): void {
    if (!this.#warnings.includes(message)) this.#warnings.push(message);
  }

  #restartOutput(): void {
    this.#output = '';
    this.#stored = 0;
    this.#restarts++;
    this.#mustRestart = true;
  }

  /** One write at a time, however long the database is locked. What arrives meanwhile goes with the next. */
  #flush(): Promise<void> {
    this.#lastFlush ??= this.#store().finally(() => {
      this.#lastFlush = undefined;
    });
    return this.#lastFlush;
  }

  async #store(): Promise<void> {
    const hasOutput = this.#stored < this.#output.length || this.#mustRestart;
    if (!hasOutput && !this.#progress && !this.#live && this.#logs.length === 0) return;
    const { db, clock } = this.#needs;
    const update: AttemptUpdate = {
      restart: this.#mustRestart,
      piece: this.#output.slice(this.#stored),
      chunk: this.#chunk++,
      progress: this.#progress,
      usage: this.#live,
      logs: this.#logs.slice(),
    };
    const storedNow = this.#output.length;
    const restarts = this.#restarts;
    try {
      await db.transaction((sql) => storeUpdate(sql, this.#key, update, clock.now()), { beside: true });
    } catch {
      // A full disk or a long lock delays the partial view; the next write takes this with it.
      return;
    }
    this.#logProgress(update.progress);
    this.#logs.splice(0, update.logs.length);
    if (this.#progress === update.progress) this.#progress = undefined;
    if (this.#live === update.usage) this.#live = undefined;
    // The output that was stored is obsolete when it was restarted meanwhile.
    if (this.#restarts !== restarts) return;
    this.#stored = storedNow;
    this.#mustRestart = false;
  }

  #logProgress(progress: AttemptUpdate['progress']): void {
    if (!progress) return;
    const { fraction, message } = progress;
    const { id: job_id, type } = this.#job;
    this.#needs.log?.debug('job_progress', { job_id, type, progress: fraction, progress_message: message });
  }
}
