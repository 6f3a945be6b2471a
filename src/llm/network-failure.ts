import { isNetworkTimeout, systemCode } from '../base/network-error.js';
import { ModelError, type ModelUsage } from '../core/ports.js';
import { redact } from './redact.js';

/**
 * A request that got no answer. `cause` is kept: it is the system's error, with its code.
 *
 * @param fix what to do when nothing listens there, such as `Start it with: ollama serve.`
 */
export function networkFailure(
  vendor: string,
  address: string,
  cause: unknown,
  more: { fix?: string | undefined; usage?: ModelUsage | undefined } = {},
): ModelError {
  const code = systemCode(cause);
  const where = `${vendor} at ${redact(address)}`;
  if (isNetworkTimeout(cause)) {
    return new ModelError('timeout', `No answer from ${where} in time (${code}). Try again.`, {
      cause,
      usage: more.usage,
    });
  }
  if (code === 'ERR_INVALID_URL') {
    return new ModelError('not_configured', `The address of ${vendor} is not a URL: ${redact(address)}. Correct it.`);
  }
  const fix = more.fix ?? 'Check the network and the address, then try again.';
  const message = `Cannot reach ${where}${code === undefined ? '' : ` (${code})`}. ${fix}`;
  return new ModelError('network', message, { cause, usage: more.usage });
}
