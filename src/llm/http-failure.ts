import { ModelError, type ModelFailure, type ModelUsage } from '../core/ports.js';
import { redact } from './redact.js';

/** How a vendor is called in messages, and which settings mend its failures. */
export interface VendorNames {
  vendor: string;
  /** What to do about a key that is refused: `Set ANTHROPIC_API_KEY to a valid key.` */
  mendKey: string;
  /** The setting that holds the base URL, and its value where it is not the vendor's own address. */
  baseUrlVariable: string;
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

/** An answer with an error status as the `ModelError` that a breaker and a retry rule understand. */
export function httpFailure(names: VendorNames, answer: HttpFailure): ModelError {
  const failure = answer.failure ?? failureOfStatus(answer.status);
  const { status, retryAfterMs, detail, usage } = answer;
  return new ModelError(failure, messageOf(names, failure, answer), { status, retryAfterMs, detail, usage });
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

function messageOf(names: VendorNames, failure: ModelFailure, answer: HttpFailure): string {
  const { vendor } = names;
  const { model, retryAfterMs } = answer;
  const status = answer.status ?? 'in the middle of its answer';
  switch (failure) {
    case 'auth':
      return status === 403
        ? `${vendor} does not let this API key use ${model} (403). Choose another model, or give the key access to it.`
        : `${vendor} refused the API key (${status}). ${names.mendKey}`;
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
