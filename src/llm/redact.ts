import { createRedactor } from '../base/redact.js';

/** Longest text of a vendor that an error carries. */
const detailLimit = 500;

/**
 * A vendor's words as an error may carry them: without keys, on one line of at most 500 characters.
 * `secrets` are values known here, such as the key that was sent: a key of a gateway has no form to know it by.
 */
export function redactedDetail(text: string, secrets: readonly (string | undefined)[] = []): string | undefined {
  // Before the cut, so that no half of a key is left at the end.
  const detail = redact(text, secrets).replace(/\s+/g, ' ').trim();
  if (detail === '') return undefined;
  return detail.length > detailLimit ? `${detail.slice(0, detailLimit - 1)}…` : detail;
}

/** Beyond what the logs take out: what stands in addresses. */
export function redact(text: string, secrets: readonly (string | undefined)[] = []): string {
  const known = secrets.filter((secret) => secret !== undefined);
  return createRedactor(known)(text)
    .replace(/:\/\/[^/\s@]+@/g, '://[redacted]@')
    .replace(/\b((?:api[-_]?key|key|token)=)[^\s&"',}]+/gi, '$1[redacted]');
}
