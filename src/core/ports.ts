/* What the domain needs from outside: `core/` itself starts no process and opens no connection. */

/** Why a model call failed, as far as a circuit breaker and a retry rule need to know. */
export const modelFailures = [
  'auth',
  'not_found',
  'invalid_request',
  'refused',
  'invalid_output',
  'rate_limited',
  'overloaded',
  'network',
  'timeout',
  'cancelled',
  'not_configured',
  'exhausted',
] as const;

export type ModelFailure = (typeof modelFailures)[number];

export interface ModelUsage {
  /** All input tokens, cached or not. */
  inputTokens: number;
  outputTokens: number;
  /** Of the input tokens, those that were read from the vendor's cache, and those that were written to it. */
  cacheReadTokens?: number | undefined;
  cacheWriteTokens?: number | undefined;
  /** What the provider itself says that the call cost, in US dollars. */
  costUsd?: number | undefined;
  /** The provider did not say: both counts are 0. */
  isUnknown?: boolean | undefined;
}

/** A prompt of a conversation, with its answer. */
export interface Exchange {
  prompt: string;
  answer: string;
}

export interface ModelRequest {
  /** The provider's own model id, without a routing prefix: `claude-sonnet-5-5`, `llama3.2`, `sonnet`. */
  model: string;
  prompt: string;
  system?: string | undefined;
  /** What was said before in the same conversation, oldest first. */
  history?: readonly Exchange[] | undefined;
  /** For a provider that works with files: where, as an absolute path. */
  workingDirectory?: string | undefined;
  /** For a CLI that keeps sessions: whether to keep this one, and which of its own it goes on with instead of `history`. */
  session?: { isKept: boolean; resume?: string | undefined } | undefined;
  /** A provider drops what its model does not accept, and says so in `warnings`. */
  params: ModelParams;
  /** The most that the call may cost, in US dollars, for a provider that `limitsCost`. */
  maxCostUsd?: number | undefined;
  /** Ends the call: the provider aborts its request, or ends its process group, and rejects with `cancelled`. */
  signal: AbortSignal;
  /** Called with each piece of answer text as it arrives. */
  onText(text: string): void;
  /** Called whenever the vendor says how many tokens the call has used so far. */
  onUsage?: ((usage: ModelUsage) => void) | undefined;
  /** Called when the vendor says what is left of its limits, before its answer. Must not throw. */
  onRates?: ((report: RateReport) => void) | undefined;
}

/** So much is left of a limit of a vendor until it is whole again. */
export interface RateLeft {
  left: number;
  /** Milliseconds from now. */
  resetMs: number;
}

/** What the answer of a vendor says of its limits. */
export interface RateReport {
  requests?: RateLeft | undefined;
  tokens?: RateLeft | undefined;
  /** The vendor has refused the call for its rate, and wants none before. */
  retryAfterMs?: number | undefined;
}

export interface ModelParams {
  max_tokens?: number | undefined;
  temperature?: number | undefined;
  top_p?: number | undefined;
  top_k?: number | undefined;
  stop_sequences?: string[] | undefined;
  /** Ollama only: context window in tokens. */
  num_ctx?: number | undefined;
  /** A JSON schema for the answer. Providers that can enforce one do; others get it in the prompt. */
  json_schema?: Record<string, unknown> | undefined;
}

export interface ModelAnswer {
  text: string;
  /** The id that the provider says it used. */
  model: string;
  /** `end_turn`, `max_tokens`, `stop_sequence`, or the provider's own word. */
  stopReason: string;
  usage: ModelUsage;
  warnings: string[];
  /** The CLI's own id of the conversation, if it keeps it. */
  sessionId?: string | undefined;
}

/** The client of one vendor. Everything it throws is a `ModelError`. */
export interface Provider {
  /** `anthropic`, `google`, `ollama`, `claude-code`, `custom:NAME`: the part after `llm:` in its breaker's id. */
  readonly id: string;
  /**
   * Directories that it may work in beside the caller's project, as absolute paths; absent for one that works with no
   * files.
   */
  readonly directories?: readonly string[];
  /** It keeps to `maxCostUsd` and says what a call has cost; its own limit in US dollars, if it has one. */
  readonly limitsCost?: { readonly usd: number | undefined };
  complete(request: ModelRequest): Promise<ModelAnswer>;
}

/** A failed model call. The message is our own; `detail` quotes the vendor and is untrusted data. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly failure: ModelFailure;
  /** HTTP status or process exit code, where there was one. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly detail: string | undefined;
  /** Tokens spent before the failure, if the provider reported them. */
  readonly usage: ModelUsage | undefined;

  constructor(
    failure: ModelFailure,
    message: string,
    more: {
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      detail?: string | undefined;
      usage?: ModelUsage | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.failure = failure;
    this.status = more.status;
    this.retryAfterMs = more.retryAfterMs;
    this.detail = more.detail;
    this.usage = more.usage;
  }

  /** Whether the same call may succeed later: rate limits, overload, network trouble, a slow or cut answer. */
  get isTransient(): boolean {
    return transientFailures.has(this.failure);
  }
}

const transientFailures = new Set<ModelFailure>(['rate_limited', 'overloaded', 'network', 'timeout', 'invalid_output']);

/** Which process this is, beyond its pid: pids are reused, and mean nothing in another container or boot. */
export interface ProcessIdentity {
  hostId: string;
  bootId: string;
  /** `pid:[4026531836]` on Linux, empty elsewhere. */
  pidNamespace: string;
  pid: number;
  /** Start time as the operating system gives it (Linux: clock ticks since boot), compared for equality only. */
  startTime: string;
}

export interface Processes {
  self(): ProcessIdentity;
  /** `unknown` for a process of another host or another pid namespace. */
  liveness(identity: ProcessIdentity): 'alive' | 'dead' | 'unknown';
}

/** Starts and signals the detached runner processes, which drain the job queue. */
export interface Spawner {
  /** Resolves once the process exists; rejects with the reason if it cannot be started. */
  spawnRunner(runnerId: string): Promise<void>;
  /** Signals a runner's process group; false if that process is gone, even if its pid is in use again. */
  signalRunner(identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean;
}
