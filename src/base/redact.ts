/** Shapes of credentials in text of any origin: vendors' keys, bearer headers. */
const credentialShapes = [
  /\bsk-[A-Za-z0-9_-]{8,}/g,
  /\bAIza[A-Za-z0-9_-]{10,}/g,
  /\btvly-[A-Za-z0-9_-]{8,}/g,
  /\bghp_[A-Za-z0-9]{10,}/g,
  /\bwhsec_[A-Za-z0-9+/=]{8,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/=-]{8,}/gi,
];

const replacement = '[redacted]';

/** Removes credentials from a text before it is logged, stored or shown. */
export type Redact = (text: string) => string;

/** A redactor for the usual shapes and for the secrets that this process was given. */
export function createRedactor(secrets: readonly string[]): Redact {
  // Very short values would redact ordinary words.
  const long = secrets.filter((secret) => secret.length >= 8);
  // Most texts are JSON, in which quotes and backslashes of a secret are escaped.
  const known = new Set(long.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, replacement);
    for (const shape of credentialShapes) clean = clean.replaceAll(shape, replacement);
    return clean;
  };
}
