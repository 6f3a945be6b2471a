/** Why an attempt had no answer, in our words: a server's text is data and never becomes the wording of an error. */
export const callFailures = [
  'not_started',
  'needs_login',
  'circuit_open',
  'busy',
  'not_sent',
  'rejected',
  'rate_limited',
  'wrong_call',
  'server_error',
  'lost',
  'timeout',
  'malformed',
  'too_large',
  'cancelled',
] as const;

export type CallFailureKind = (typeof callFailures)[number];

/** Whether a failed call was carried out. `unknown`: it may have been, so only a safe call may be repeated. */
export type Certainty = 'not_carried_out' | 'carried_out' | 'unknown';

const certainties: Readonly<Record<CallFailureKind, Certainty>> = {
  not_started: 'not_carried_out',
  needs_login: 'not_carried_out',
  circuit_open: 'not_carried_out',
  busy: 'not_carried_out',
  not_sent: 'not_carried_out',
  rejected: 'not_carried_out',
  rate_limited: 'not_carried_out',
  wrong_call: 'not_carried_out',
  server_error: 'unknown',
  lost: 'unknown',
  timeout: 'unknown',
  malformed: 'unknown',
  too_large: 'carried_out',
  cancelled: 'unknown',
};

/** The message of `malformed`. */
export const notProtocol = 'its answer is not what the protocol says';

interface CallFailureOptions {
  detail?: string | undefined;
  waitMs?: number | undefined;
  cause?: unknown;
}

/** A failed attempt. `message` is ours; `detail` is the server's own text, shown only where it is marked as such. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly kind: CallFailureKind;
  readonly detail: string | undefined;
  /** Of `rate_limited`: when the server takes the next call, if it says so. */
  readonly waitMs: number | undefined;

  constructor(kind: CallFailureKind, message: string, more: CallFailureOptions = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.kind = kind;
    this.detail = more.detail;
    this.waitMs = more.waitMs;
  }

  get certainty(): Certainty {
    return certainties[this.kind];
  }
}
