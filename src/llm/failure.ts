import { isNetworkTimeout, systemCode } from '../base/network-error.js';
import { createRedactor } from '../base/redact.js';
import { ModelError, type ModelFailure, type ModelUsage } from '../core/ports.js';

/** The vendor's name in messages, and the settings that fix its failures. */
export interface VendorNames {
  vendor: string;
  /** What to do about a key that is refused: `Set ANTHROPIC_API_KEY to a valid key.` */
  keyFix: string;
  /** The variable that holds the base URL. */
  baseUrlVariable: string;
  /** Its value, unless it is the vendor's own address. */
  baseUrl?: string | undefined;
}

export interface HttpFailure {
  /** Undefined for an error that comes in the middle of a stream, after the status. */
  status: number | undefined;
  model: string;
  /** What the vendor's own error type says, where it says more than the status. */
  failure?: ModelFailure | undefined;
  retryAfterMs?: number | undefined;
  /** Already redacted. */
  detail?: string | undefined;
  usage?: ModelUsage | undefined;
}

/** An answer with an error status as a `ModelError`, whose `failure` decides about retries and breakers. */
export function httpFailure(names: VendorNames, answer: HttpFailure): ModelError {
  const failure = answer.failure ?? failureOfStatus(answer.status);
  const { status, retryAfterMs, detail, usage } = answer;
  return new ModelError(failure, httpMessage(names, failure, answer), { status, retryAfterMs, detail, usage });
}

export function failureOfStatus(status: number | undefined): ModelFailure {
  switch (status) {
    case undefined:
      return 'overloaded';
    case 401:
    case 403:
      return 'auth';
    case 402:
      return 'exhausted';
    case 404:
      return 'not_found';
    case 408:
    case 504:
      return 'timeout';
    case 409:
      return 'overloaded';
    case 429:
      return 'rate_limited';
    case 501:
      return 'invalid_request';
    default:
      return status >= 500 ? 'overloaded' : 'invalid_request';
  }
}

function httpMessage(names: VendorNames, failure: ModelFailure, answer: HttpFailure): string {
  const { vendor } = names;
  const { model, retryAfterMs } = answer;
  const status = answer.status ?? 'in the middle of its answer';
  switch (failure) {
    case 'auth':
      return status === 403
        ? `${vendor} does not let this API key use ${model} (403). Choose another model, or give the key access to it.`
        : `${vendor} refused the API key (${status}). ${names.keyFix}`;
    case 'exhausted':
      return `${vendor} refused the call (${status}): the account has no credit left. Add credit, or use another model.`;
    case 'not_found':
      return `${vendor} has no model ${model} (${status}). Check the model's name${orBaseUrl(names)}.`;
    case 'timeout':
      return `${vendor} gave up on the call (${status}). Try again, with a shorter prompt if it happens once more.`;
    case 'rate_limited': {
      const when = retryAfterMs === undefined ? 'later' : `in ${Math.ceil(retryAfterMs / 1000)} s`;
      return `${vendor} limits the rate of calls (${status}). Try again ${when}.`;
    }
    case 'overloaded':
      return `${vendor} could not serve the call (${status}). Try again later, or use another model.`;
    default:
      return invalidRequestMessage(names, answer.status, model);
  }
}

function invalidRequestMessage(names: VendorNames, status: number | undefined, model: string): string {
  const { vendor } = names;
  if (status !== undefined && status >= 300 && status < 400) {
    return `${vendor}'s address answers with a redirect (${status}). Set ${names.baseUrlVariable} to the address it leads to.`;
  }
  if (status === 413) return `The prompt is too large for ${vendor} (413). Shorten it.`;
  const shownStatus = status === undefined ? '' : ` (${status})`;
  return `${vendor} refused the request to ${model} as invalid${shownStatus}. Change the prompt or the parameters.`;
}

function orBaseUrl({ baseUrl, baseUrlVariable }: VendorNames): string {
  return baseUrl === undefined ? '' : ` and ${baseUrlVariable} (${redact(baseUrl)})`;
}

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

/** Characters of a vendor's text that an error carries at most. */
const detailLimit = 500;

/**
 * A vendor's words as an error may carry them: without keys, on one line of at most 500 characters.
 *
 * @param secrets values that are known here, such as the key that was sent: a gateway's key has no shape to recognise
 */
export function redactedDetail(text: string, secrets: readonly (string | undefined)[] = []): string | undefined {
  // Redacted before it is cut, so that no half of a key is left at the end.
  const detail = redact(text, secrets).replace(/\s+/g, ' ').trim();
  if (detail === '') return undefined;
  return detail.length > detailLimit ? `${detail.slice(0, detailLimit - 1)}…` : detail;
}

/** Takes out what the logs take out, and the credentials in addresses as well. */
export function redact(text: string, secrets: readonly (string | undefined)[] = []): string {
  const known = secrets.filter((secret) => secret !== undefined);
  return createRedactor(known)(text)
    .replace(/:\/\/[^/\s@]+@/g, '://[redacted]@')
    .replace(/\b((?:api[-_]?key|key|token)=)[^\s&"',}]+/gi, '$1[redacted]');
}
