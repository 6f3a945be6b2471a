/** The codes that a caller can act on. MCP, the command line and HTTP each map them once to their own form. */
export const errorCodes = [
  'invalid',
  'not_found',
  'conflict',
  'already_claimed',
  'stale_claim',
  'dependency_cycle',
  'budget_exhausted',
  'circuit_open',
  'not_configured',
  'unavailable',
  'rate_limited',
  'timeout',
  'cancelled',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * An error that its caller can fix: `message` says what failed and with which value, `hint` what to do next. Any other
 * thrown value is a bug and is reported as `internal`.
 */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** What is wrong with each argument, where it is known; `message` says the same. */
  readonly fields: readonly FieldProblem[] | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, options: RuntimeErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = hint;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields;
  }
}

export interface RuntimeErrorOptions extends ErrorOptions {
  /** When the same call may succeed, if that is known. */
  retryAfterSeconds?: number | undefined;
  fields?: readonly FieldProblem[] | undefined;
}

/** What is wrong with one argument of a call. */
export interface FieldProblem {
  /** Such as `payload.epochs` or `tasks[1].title`; empty for the whole. */
  place: string;
  /** A sentence that goes beside the field. */
  message: string;
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error as MCP, the command line and HTTP show it. */
export interface ErrorReport {
  code: ErrorCode;
  message: string;
  hint?: string;
  retry_after_seconds?: number;
}

/** Failures of the machine, which no code of ours has caused, by the code that Node gives them. */
const hintsOfScarce: Readonly<Record<string, string>> = {
  EMFILE: 'This process may open no more files. Raise its limit (`ulimit -n`), and start it again if this goes on.',
  ENFILE: 'This machine may open no more files. Close some programs, and try again.',
  EAGAIN: 'This user may start no more processes (`ulimit -u`). Close some programs, and try again.',
  ENOMEM: 'This machine has no memory left. Close some programs, and try again.',
};

/** Any thrown value as a report. An unknown error gets its code here and nowhere else. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof RuntimeError) {
    const { code, message, hint, retryAfterSeconds } = error;
    return {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
    };
  }
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const scarce = code === undefined ? undefined : hintsOfScarce[code];
  if (scarce !== undefined) return { code: 'unavailable', message: messageOf(error), hint: scarce };
  return {
    code: 'internal',
    message: messageOf(error),
    hint: 'This is a defect of the runtime. `agent-runtime doctor` shows the state; the log on stderr has the stack.',
  };
}
