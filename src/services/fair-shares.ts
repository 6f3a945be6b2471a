import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import { matchesPattern } from '../base/text.js';
import type { NewJob } from '../core/jobs/submit-job.js';

/** What a request says of the jobs beside its own. */
export interface SharesRequest {
  concurrency_key?: string | undefined;
  concurrency_limit?: number | undefined;
  unique_key?: string | undefined;
}

export interface SharesNeeds {
  config: Pick<Config, 'concurrency'>;
}

/**
 * The keys of a job, and the limit of its concurrency key: that of the request, else that of the config file, else one.
 * Throws `invalid` for a limit without a key.
 */
export function sharesOf(
  { concurrency_key: key, concurrency_limit: limit, unique_key: uniqueKey }: SharesRequest,
  { config }: SharesNeeds,
): Pick<NewJob, 'concurrencyKey' | 'concurrencyLimit' | 'uniqueKey'> {
  if (key === undefined) {
    if (limit === undefined) return { uniqueKey };
    throw new RuntimeError(
      'invalid',
      'concurrency_limit is the limit of a concurrency_key.',
      'Give a concurrency_key.',
    );
  }
  return { concurrencyKey: key, concurrencyLimit: limit ?? limitIn(config.concurrency, key), uniqueKey };
}

/** The key itself first, then the first pattern that it matches. */
function limitIn(limits: Config['concurrency'], key: string): number | undefined {
  if (Object.hasOwn(limits, key)) return limits[key];
  return Object.entries(limits).find(([pattern]) => matchesPattern(pattern, key))?.[1];
}
