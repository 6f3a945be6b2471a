import type { StoredPrices } from '../../services/import-prices.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';

/** Prices that now stand in the data directory. */
export function printKept(kept: StoredPrices, { isJson }: GlobalFlags, output: Output): void {
  if (isJson) {
    output.printJson(kept);
    return;
  }
  const { ticker, rows, first_date, last_date, skipped_rows, adjusted, path } = kept;
  const remarks = [
    ...(skipped_rows > 0 ? [`${skipped_rows} rows without prices left out`] : []),
    ...(adjusted ? ['with adjusted closes'] : []),
  ];
  output.print(
    `${ticker}: ${rows} days, ${first_date} to ${last_date}${remarks.map((remark) => `, ${remark}`).join('')}`,
  );
  output.quote(path);
}
