/** Why a try had no answer, in words of our own: what a server says is data and never becomes an error's wording. */
export const callFailures = [
  'not_started',
  'circuit_open',
  'busy',
  'not_sent',
  'rejected',
  'wrong_call',
  'server_error',
  'lost',
  'timeout',
  'malformed',
  'too_large',
  'cancelled',
] as const;

export type CallFailureKind = (typeof callFailures)[number];

/** What is sure about a call that failed: it was never carried out, it was, or nobody can tell. */
export type Certainty = 'not_carried_out' | 'carried_out' | 'unknown';

const certainties: Readonly<Record<CallFailureKind, Certainty>> = {
  not_started: 'not_carried_out',
  circuit_open: 'not_carried_out',
  busy: 'not_carried_out',
  not_sent: 'not_carried_out',
  rejected: 'not_carried_out',
  wrong_call: 'not_carried_out',
  server_error: 'unknown',
  lost: 'unknown',
  timeout: 'unknown',
  malformed: 'carried_out',
  too_large: 'carried_out',
  cancelled: 'unknown',
};

/** A failed try. `message` is ours; `detail` is the server's own text, for those who ask for it. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly kind: CallFailureKind;
  readonly detail: string | undefined;

  constructor(kind: CallFailureKind, message: string, more: { detail?: string | undefined; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.kind = kind;
    this.detail = more.detail;
  }

  get certainty(): Certainty {
    return certainties[this.kind];
  }
}
