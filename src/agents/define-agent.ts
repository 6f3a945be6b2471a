import type { Json, JsonObject } from '../base/json.js';
import type { OutputOf, StandardSchema } from './payload-schema.js';

/** A job as its agent sees it. */
export interface AgentJob<Payload> {
  id: string;
  type: string;
  payload: Payload;
  metadata: JsonObject;
  /** 1 for the first try. */
  attempt: number;
  /** Whether a failure now is final; until then a transient one is tried again. */
  isLastTry: boolean;
}

/** A file that a job leaves behind, kept in the data directory and listed on the job. */
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

export interface AgentContext {
  /** Aborts on cancel and on timeout; an agent stops its work and throws. */
  readonly signal: AbortSignal;
  /** Where `prices/`, `mnist/` and the like are: AGENT_RUNTIME_DATA_DIR. */
  readonly dataDir: string;
  /** How far the work is, from 0 to 1; may be called as often as you like, it is written at most twice a second. */
  progress(fraction: number, message?: string): void;
  /** A line of the job's own log. Fields must not hold secrets; known key patterns are redacted. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: JsonObject): void;
  /** A piece of text output, stored as it comes, so that a partial result survives. */
  output(text: string): void;
  /** Forgets the output so far, because another try begins anew. */
  restartOutput(): void;
  /** Tokens that a model call used; added to what the job has used so far. */
  usage(spent: { model: string; inputTokens: number; outputTokens: number }): void;
  /** Something the submitter should know although the job goes on; kept with its result. */
  warn(message: string): void;
  /** Stores a file with the job. `name` is a plain file name. */
  saveArtifact(name: string, data: string | Uint8Array): Promise<Artifact>;
  /** The files that this job has saved so far, in earlier attempts too. */
  artifacts(): Promise<Artifact[]>;
  /** The jobs that this one waited for, with what came of them, in the order in which they were submitted. */
  dependencies(): Promise<Dependency[]>;
}

/** What runs jobs of one type. */
export interface Agent<Schema extends StandardSchema = StandardSchema> {
  /** The job type it serves: lower case, `[a-z][a-z0-9_]*`. */
  readonly type: string;
  /** What it does and when to use it, for whoever chooses a type. */
  readonly description: string;
  /** A zod schema, or one of another library. Checked when a job is submitted; its messages reach the submitter. */
  readonly payload: Schema;
  /** How many jobs of this type may run at once over all processes; without it, as many as there are runners. */
  readonly concurrency?: number;
  /** How long one attempt may take unless the job says otherwise; 1,800 s by default. */
  readonly timeoutSeconds?: number;
  /** Does the work. What it returns must survive JSON; what it throws fails the attempt. */
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

/** A failure that the job's submitter can understand and mend. `code` is the agent's own word, in capitals. */
export class AgentError extends Error {
  override readonly name = 'AgentError';

  constructor(
    readonly code: string,
    message: string,
    /** Whether the same job may succeed when tried again; otherwise it fails at once. */
    readonly isTransient = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Nothing was tried, because something that the work needs is not to be had yet; it costs the job no try. */
export class Postponed extends Error {
  override readonly name = 'Postponed';

  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** An agent of this program. */
export interface BuiltInAgent extends Agent {
  /** What a job with this payload demands. Throws `not_configured` when nothing here can meet it. */
  demandsOf?(payload: unknown): Demands;
}

/** What running a job takes. */
export interface Demands {
  /** The provider, command or module that its runner must have. */
  requires?: string | undefined;
  concurrency?: number | undefined;
  timeoutSeconds?: number | undefined;
}
