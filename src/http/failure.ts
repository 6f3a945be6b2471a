import { type ErrorCode, type ErrorReport, type FieldProblem, RuntimeError, reportError } from '../base/errors.js';

/** The status of each code. */
export const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  already_claimed: 409,
  stale_claim: 409,
  dependency_cycle: 409,
  budget_exhausted: 402,
  circuit_open: 503,
  not_configured: 501,
  unavailable: 503,
  rate_limited: 429,
  timeout: 504,
  cancelled: 499,
  internal: 500,
};

/** HTTP's one mapping from a thrown value to an answer. */
export function failureResponse(error: unknown): Response {
  const report = reportError(error);
  const fields = error instanceof RuntimeError ? error.fields : undefined;
  return errorResponse(statuses[report.code], fields === undefined ? report : { ...report, fields });
}

interface OtherReport {
  code: string;
  message: string;
  hint?: string;
  /** What is wrong with each argument, for forms to show it there. */
  fields?: readonly FieldProblem[];
}

/** An answer in the form that all errors have: `{error: {code, message, hint}}`. */
export function errorResponse(status: number, report: ErrorReport | OtherReport) {
  return Response.json({ error: report }, { status });
}
