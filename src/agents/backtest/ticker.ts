import { join } from 'node:path';

/** One ticker: a plain file name by itself, so that it can never lead out of the prices directory. */
export const tickerPattern = /^(?!.*\.\.)[A-Za-z0-9.^=_-]{1,20}$/;

export const tickerRule = '1 to 20 of A-Z a-z 0-9 . ^ = _ - without ".."; it names the file prices/TICKER.csv';

/** Where price files are: `<data>/prices`. */
export const pricesDir = (dataDir: string): string => join(dataDir, 'prices');

/** The file of a ticker, case as given: `<data>/prices/TICKER.csv`. The ticker must fit `tickerPattern`. */
export const priceFileName = (ticker: string): string => `${ticker}.csv`;

export const priceFilePath = (dataDir: string, ticker: string): string =>
  join(pricesDir(dataDir), priceFileName(ticker));
