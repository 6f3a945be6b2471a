import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { AgentError } from '../define-agent.js';
import { checkPrices, type KeptPrices, keepPrices, type PricePlace, requireFree } from './kept-prices.js';
import { downloadPrices, type PriceDownload } from './price-download.js';
import { maxPriceBytes } from './price-store.js';

export interface PriceFetch extends PricePlace {
  /** First and last day, YYYY-MM-DD. */
  startDate: string;
  endDate: string;
  /** The provider, where one is configured. */
  download: PriceDownload | undefined;
  signal: AbortSignal;
}

/**
 * `agent-runtime prices fetch`: downloads one ticker's prices, checks them as an import does and keeps them. A file
 * already there is replaced only when asked for, and never by one that fails the check.
 *
 * @throws RuntimeError `not_configured` without a provider; `invalid` (ticker, dates, the URL template), `conflict` (the
 *   ticker has prices), `unavailable` (the provider's answer), `cancelled`.
 */
export async function fetchPrices(request: PriceFetch): Promise<KeptPrices> {
  const { download, signal } = request;
  requireFree(request);
  checkDates(request);
  if (!download) {
    throw new RuntimeError(
      'not_configured',
      'No address for prices is configured: AGENT_RUNTIME_PRICES_URL is not set.',
      'Set it to a URL with {ticker}, {start} and {end}, or import a file: agent-runtime prices import FILE --ticker X.',
    );
  }
  try {
    const { bytes, source } = await downloadPrices(download, { ...request, maxBytes: maxPriceBytes });
    return await keepPrices(request, bytes, checkPrices(bytes, source));
  } catch (cause) {
    if (signal.aborted) throw new RuntimeError('cancelled', 'The download was interrupted.', 'Nothing was changed.');
    if (!(cause instanceof AgentError)) throw cause;
    const isTemplate = cause.code === 'PRICES_URL_INVALID';
    const hint = isTemplate
      ? 'Set AGENT_RUNTIME_PRICES_URL anew.'
      : 'Nothing was changed; try again, or import a file.';
    throw new RuntimeError(isTemplate ? 'invalid' : 'unavailable', cause.message, hint, { cause });
  }
}

function checkDates({ startDate, endDate }: PriceFetch): void {
  const wrong = [startDate, endDate].find((date) => !z.iso.date().safeParse(date).success);
  if (wrong !== undefined) {
    throw new RuntimeError('invalid', `${JSON.stringify(wrong)} is not a date.`, 'Write it as YYYY-MM-DD.');
  }
  if (startDate > endDate) {
    throw new RuntimeError('invalid', `The last day, ${endDate}, is before the first, ${startDate}.`, 'Exchange them.');
  }
}
