/** The system's code (`ECONNREFUSED`) of an error or of one of its causes: `fetch` wraps them in a bare TypeError. */
export function systemCode(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('code' in each && typeof each.code === 'string') return each.code;
  }
  return undefined;
}
