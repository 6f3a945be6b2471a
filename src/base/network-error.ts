/** The system's code (`ECONNREFUSED`) of an error or of one of its causes: `fetch` wraps them in a bare TypeError. */
export function systemCode(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('code' in each && typeof each.code === 'string') return each.code;
    if (each instanceof AggregateError && each.errors.length > 0) return systemCode(each.errors[0]);
  }
  return undefined;
}

/** Whether the connection was never made, so that nothing of the request can have been done. */
export function wasNeverSent(error: unknown): boolean {
  return neverSent.has(systemCode(error) ?? '');
}

/** Whether the other side was silent for too long; Node's fetch gives up after 300 s without headers or without a byte. */
export function isNetworkTimeout(error: unknown): boolean {
  return timeouts.has(systemCode(error) ?? '');
}

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const timeouts = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
