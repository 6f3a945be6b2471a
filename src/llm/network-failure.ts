import { systemCode } from '../base/system-code.js';
import { ModelError, type ModelUsage } from '../core/ports.js';
import { redact } from './redact.js';

/**
 * A request that got no answer. `cause` is kept: it is the system's error, with its code.
 *
 * @param mend what to do when nothing listens there, such as `Start it with: ollama serve.`
 */
export function networkFailure(
  vendor: string,
  address: string,
  cause: unknown,
  more: { mend?: string | undefined; usage?: ModelUsage | undefined } = {},
): ModelError {
  const code = systemCode(cause);
  const where = `${vendor} at ${redact(address)}`;
  if (code !== undefined && timeoutCodes.has(code)) {
    return new ModelError('timeout', `No answer from ${where} in time (${code}). Try again.`, {
      cause,
      usage: more.usage,
    });
  }
  if (code === 'ERR_INVALID_URL') {
    return new ModelError('not_configured', `The address of ${vendor} is not a URL: ${redact(address)}. Correct it.`);
  }
  const mend = more.mend ?? 'Check the network and the address, then try again.';
  const message = `Cannot reach ${where}${code === undefined ? '' : ` (${code})`}. ${mend}`;
  return new ModelError('network', message, { cause, usage: more.usage });
}

/** Whether Node's fetch gave up on a silent server; it does so after 300 s without headers or without a byte. */
export function isTimeout(error: unknown): boolean {
  const code = systemCode(error);
  return code !== undefined && timeoutCodes.has(code);
}

const timeoutCodes = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
