/** The words a caller can act on. Every face (MCP, command line, HTTP) maps these once to its own form. */
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
 * An error that its caller can mend: `message` says what failed and with which value, `hint` what to do next.
 * Everything else that is thrown is a bug and shows as `internal`.
 */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** What every face shows of an error. */
export interface ErrorReport {
  code: ErrorCode;
  message: string;
  hint?: string;
}

/** Any thrown value as a report; the one place where an unknown error gets its code. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof RuntimeError) {
    return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    hint: 'This is a defect of the runtime. `agent-runtime doctor` shows the state; the log on stderr has the stack.',
  };
}
