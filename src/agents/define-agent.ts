import type { Json, JsonObject } from '../base/json.js';
import type { OutputOf, StandardSchema } from './payload-schema.js';

/** A job as its agent receives it. */
export interface AgentJob<Payload> {
  id: string;
  type: string;
  payload: Payload;
  metadata: JsonObject;
  /** Number of this attempt, from 1. */
  attempt: number;
  /** Whether a failure now is final. Before the last try, a transient failure is retried. */
  isLastTry: boolean;
}

/** A file that a job has saved. It is stored in the data directory and listed on the job. */
export interface Artifact {
  name: string;
  /** Absolute path. */
  path: string;
  sizeBytes: number;
  sha256: string;
}

/** A job that this one waited for. */
export interface Dependency {
  id: string;
  type: string;
  result: Json;
  artifacts: Artifact[];
}

/** What an attempt gives its agent: progress, output, files, and the signal to stop. */
export interface AgentContext {
  /** Aborts on cancel and on timeout. The agent must then stop its work and throw. */
  readonly signal: AbortSignal;
  /** Absolute path of the data directory, AGENT_RUNTIME_DATA_DIR, which holds `prices/`, `mnist/` and others. */
  readonly dataDir: string;
  /** Reports progress as a fraction from 0 to 1. Call it as often as you like: it is written at most twice a second. */
  progress(fraction: number, message?: string): void;
  /** Writes an entry to the job's log. Fields must not hold secrets; known key patterns are redacted. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: JsonObject): void;
  /** Appends text to the job's output. It is stored as it comes, so that a partial result survives. */
  output(text: string): void;
  /** Discards the output so far, because a new try starts over. */
  restartOutput(): void;
  /** Adds the tokens of a model call to those that the job has used. */
  usage(spent: { model: string; inputTokens: number; outputTokens: number }): void;
  /** Says what the model call under way is known to have used, for those who look on; `usage` counts it when it ends. */
  usageSoFar(spent: { model: string; inputTokens: number; outputTokens: number }): void;
  /** Adds a warning to the job's result, for what the submitter should know although the job goes on. */
  warn(message: string): void;
  /**
   * Keeps what there is of a result. It becomes the result of the job when that is cancelled, runs out of time or fails for
   * good; the newest counts. It may be called until `execute` has ended, also after `signal` has aborted.
   */
  partial(result: unknown): void;
  /** Stores a file with the job, whole or not at all. `name` is a plain file name; the same name replaces the file. */
  saveArtifact(name: string, data: string | Uint8Array): Promise<Artifact>;
  /** The files that this job has saved so far, in earlier attempts too. A retry can resume from them. */
  artifacts(): Promise<Artifact[]>;
  /** The jobs that this one waited for, with their results, in the order in which they were submitted. */
  dependencies(): Promise<Dependency[]>;
}

/** Runs the jobs of one type. */
export interface Agent<Schema extends StandardSchema = StandardSchema> {
  /** The job type: lower case, `[a-z][a-z0-9_]*`, at most 100 characters. */
  readonly type: string;
  /** What it does and when to use it, for people and models that choose a type. */
  readonly description: string;
  /** A schema of zod or another library. It is checked when a job is submitted; its messages reach the submitter. */
  readonly payload: Schema;
  /** How many jobs of this type may run at once over all processes; by default as many as there are runners. */
  readonly concurrency?: number;
  /** Time limit of one attempt in seconds, up to 86,400, unless the job sets its own; 1,800 by default. */
  readonly timeoutSeconds?: number;
  /** Does the work. The return value is the job's result and must be JSON; an error fails the attempt. */
  execute(job: AgentJob<OutputOf<Schema>>, context: AgentContext): Promise<unknown>;
}

/**
 * Declares an agent with its payload typed by its schema.
 *
 * @example
 * export default defineAgent({
 *   type: 'count_words',
 *   description: 'Counts the words of a text.',
 *   payload: z.object({ text: z.string() }),
 *   async execute(job, context) {
 *     context.log('info', `attempt ${job.attempt}`);
 *     return { words: job.payload.text.split(/\s+/).filter(Boolean).length };
 *   },
 * });
 */
export function defineAgent<Schema extends StandardSchema>(agent: Agent<Schema>): Agent<Schema> {
  return agent;
}

/** A failure that the job's submitter can understand and fix. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  /** The least time until a retry has a chance, such as a server's own `retry-after`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    /** The agent's own error code, such as `NO_WORDS`. */
    readonly code: string,
    message: string,
    /** Whether a retry of the same job may succeed; otherwise the job fails at once. */
    readonly isTransient = false,
    { retryAfterMs, ...options }: ErrorOptions & { retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Thrown when the work cannot start yet. The job is tried again later, and this attempt does not count as a try. */
export class Postponed extends Error {
  override readonly name = 'Postponed';

  constructor(
    message: string,
    readonly retryAfterMs: number,
    /** Ids of the breakers that refused it. When one of them closes, the job starts without waiting any longer. */
    readonly blockedBy: readonly string[] = [],
  ) {
    super(message);
  }
}

/** An agent of this program. */
export interface BuiltInAgent extends Agent {
  /** The requirements of a job with this payload. Throws `not_configured` when this configuration cannot meet them. */
  demandsOf?(payload: unknown): Demands;
}

/** What a job requires of the runner that takes it. */
export interface Demands {
  /** The capability that the runner must have: a provider, a command or a module. */
  requires?: string | undefined;
  concurrency?: number | undefined;
  timeoutSeconds?: number | undefined;
}
