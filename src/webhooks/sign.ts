import { createHmac, randomBytes } from 'node:crypto';

/** The beginning of a secret, as Standard Webhooks writes them: base64 of 24 to 64 bytes follows. */
const secretPrefix = 'whsec_';

/** A new secret of 256 bits. */
export const newWebhookSecret = (): string => `${secretPrefix}${randomBytes(32).toString('base64')}`;

export interface SignedMessage {
  /** The same at each try, so that receivers know a message that comes twice. */
  id: string;
  /** Of this try, in seconds since 1970. */
  timestamp: number;
  body: string;
}

/**
 * The headers of a message, signed by each of the secrets (Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`).
 */
export function signatureHeaders({ id, timestamp, body }: SignedMessage, secrets: readonly string[]) {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
