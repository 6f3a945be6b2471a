/** Why a token of an issuer lets nobody in, and what to do about it. */
export interface Refusal {
  /** 401 for a token that is not good, 403 for one without the rights, 503 while it cannot be checked. */
  status: 401 | 403 | 503;
  message: string;
  hint: string;
}

/** A header of RFC 6750, section 3: what the client needs to find the issuer, and what was wrong. */
export function challenge(
  { metadata, scopes }: { metadata: string; scopes: readonly string[] },
  refusal?: Refusal,
): string {
  const error = refusal && { 401: 'invalid_token', 403: 'insufficient_scope', 503: undefined }[refusal.status];
  const parts = {
    ...(error === undefined ? {} : { error, error_description: refusal?.message }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    resource_metadata: metadata,
  };
  return `Bearer ${Object.entries(parts)
    .map(([name, value]) => `${name}="${quotable(value ?? '')}"`)
    .join(', ')}`;
}

/** What may stand between quotes (RFC 6750, section 3), which leaves out quotes and backslashes. */
const quotable = (text: string): string =>
  text
    .replaceAll('"', "'")
    .replaceAll(/[^\x20-\x7e]|\\/g, '?')
    .slice(0, 1_000);
