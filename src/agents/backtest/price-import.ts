import { RuntimeError } from '../../base/errors.js';
import { AgentError } from '../define-agent.js';
import { checkPrices, type KeptPrices, keepPrices, type PricePlace, requireFree } from './kept-prices.js';
import type { Prices } from './price-csv.js';
import { maxPriceBytes } from './price-store.js';
import { readRegularFile } from './regular-file.js';

export interface PriceImport extends PricePlace {
  /** A CSV file anywhere, as the user named it. */
  file: string;
}

/**
 * `agent-runtime prices import FILE --ticker X`: checks a price file by the rules that a backtest reads it by, and keeps
 * a copy under the ticker's name. A file already there is replaced only when asked for, and never by one that fails the
 * check.
 *
 * @throws RuntimeError `invalid` (ticker, content, size, not a regular file) or `not_found`, with the file and line;
 *   `conflict` when the ticker has prices.
 */
export async function importPrices(request: PriceImport): Promise<KeptPrices> {
  requireFree(request);
  const bytes = await readSource(request.file);
  return keepPrices(request, bytes, check(bytes, request.file));
}

async function readSource(file: string): Promise<Buffer> {
  try {
    return await readRegularFile(file, maxPriceBytes);
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new RuntimeError(
      missing ? 'not_found' : 'invalid',
      missing ? `There is no file ${file}.` : `Cannot read ${file}: ${String(cause)}.`,
      'Give the path of a CSV file with daily prices.',
      { cause },
    );
  }
}

function check(bytes: Buffer, file: string): Prices {
  try {
    return checkPrices(bytes, file);
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    throw cause;
  }
}

// The command line speaks RuntimeError; the message, with file and line, is already the whole of it.
function asInvalid(cause: AgentError): RuntimeError {
  return new RuntimeError('invalid', cause.message, 'Mend the file and import it again; nothing was changed.', {
    cause,
  });
}
