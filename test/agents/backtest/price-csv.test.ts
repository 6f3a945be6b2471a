import { expect, it } from 'vitest';
import { parsePrices } from '../../../src/agents/backtest/price-csv.js';

const header = 'date,open,high,low,close';
const parse = (...lines: string[]) => parsePrices(lines.join('\n'), 'X.csv', true);

it('finds columns by name, in any order and case, and sorts the rows', () => {
  const prices = parse('Volume,CLOSE, Low ,High,Open,Date', '9,3,1,4,2,2024-01-03', '9,30,10,40,20,2024-01-02');
  expect(prices).toEqual({
    dates: ['2024-01-02', '2024-01-03'],
    open: [20, 2],
    close: [30, 3],
    skippedRows: 0,
    isAdjusted: false,
  });
});

it.each([
  ['a byte order mark', `\uFEFF${header}\n2024-01-02,1,2,1,2\n`],
  ['CRLF', `${header}\r\n2024-01-02,1,2,1,2\r\n`],
  ['mixed line ends and blank lines', `${header}\r\n\r\n2024-01-02,1,2,1,2\n\n`],
  ['quotes and spaces', `"date", "open", high,low,close\n "2024-01-02" ,"1", 2 ,1,2`],
  ['exponents and signs', `${header}\n2024-01-02,+1,2e0,1.0,.2E1`],
  ['midnight after the date', `${header}\n2024-01-02T00:00:00.000Z,1,2,1,2`],
  ['a time zone, as yfinance writes it', `${header}\n2024-01-02 00:00:00-05:00,1,2,1,2`],
])('reads a file with %s', (_, text) => {
  expect(parsePrices(text, 'X.csv', true)).toMatchObject({ dates: ['2024-01-02'], open: [1], close: [2] });
});

it('skips and counts rows without prices', () => {
  const prices = parse(
    header,
    '2024-01-02,1,2,1,2',
    '2024-01-03,null,null,null,null',
    '2024-01-04,1,2,1,',
    'N/D,N/D,N/D,N/D,N/D',
  );
  expect(prices).toMatchObject({ dates: ['2024-01-02'], skippedRows: 3 });
});

it.each(['adj close', 'Adj Close', 'adjClose', 'adj_close', 'Adjusted Close'])('scales by the column %s', (name) => {
  const text = `${header},${name}\n2024-01-02,10,20,10,20,5`;
  expect(parsePrices(text, 'X.csv', true)).toMatchObject({ open: [2.5], close: [5], isAdjusted: true });
  expect(parsePrices(text, 'X.csv', false)).toMatchObject({ open: [10], close: [20], isAdjusted: false });
});

const good = '2024-01-02,1,2,1,2';

it.each([
  ['too few values', [header, good, '2024-01-03,1,2,1'], 'X.csv, line 3: Invalid Record Length'],
  ['too many values after a blank line', [header, '', good, '2024-01-03,1,2,1,2,9'], 'X.csv, line 4'],
  ['a quote that never ends', [header, '"2024-01-02,1,2,1,2'], 'Quote Not Closed'],
  ['a date twice', [header, good, '2024-01-03,1,2,1,2', good], 'X.csv, line 4: date 2024-01-02 is already on line 2'],
  ['high below low', [header, good, '2024-01-03,1,1,2,1'], 'X.csv, line 3: high 1 is below low 2'],
  ['a price of 0', [header, '2024-01-02,0,2,1,2'], 'line 2: open is 0; a price must be above 0'],
  ['a price below 0', [header, '2024-01-02,1,2,1,-2'], 'line 2: close is -2'],
  ['words for a price', [header, '2024-01-02,1,2,cheap,2'], 'line 2: low is "cheap", not a number'],
  ['hexadecimal', [header, '2024-01-02,1,2,1,0x10'], 'line 2: close is "0x10"'],
  ['a number too large', [header, '2024-01-02,1,2,1,1e999'], 'line 2: close is "1e999"'],
  ['thousands separators', [header, '2024-01-02,1,2,1,"1,234"'], 'line 2: close is "1,234"'],
  ['an adjusted close of 0', [`${header},adj close`, '2024-01-02,1,2,1,2,0'], 'line 2: adj close is 0'],
  ['an American date', [header, '01/02/2024,1,2,1,2'], 'line 2: date is "01/02/2024", not YYYY-MM-DD'],
  ['a date that does not exist', [header, '2023-02-30,1,2,1,2'], 'line 2: date is "2023-02-30"'],
  ['a time of day', [header, '2024-01-02T14:30:00Z,1,2,1,2'], 'line 2: date is "2024-01-02T14:30:00Z"'],
  [
    'no close column',
    ['date,open,high,low', '2024-01-02,1,2,1'],
    'line 1: the header has no close; it must name date, open',
  ],
  ['semicolons', ['date;open;high;low;close', '2024-01-02;1;2;1;2'], 'line 1: the header has no date'],
  ['a column twice', [`${header},Close`, `${good},2`], 'line 1: the header names close 2 times'],
  ['a web page', ['', ' <!DOCTYPE html><html></html>'], 'it is a web page or XML, not CSV'],
  ['nothing', [''], 'it is empty'],
  ['a header alone', [header], 'it has no row with prices'],
  ['skipped rows alone', [header, '2024-01-02,null,null,null,null'], 'it has no row with prices'],
])('refuses %s, with file and line', (_, lines, words) => {
  expect(() => parse(...lines)).toThrowError(
    expect.objectContaining({
      code: 'PRICE_FILE_INVALID',
      isTransient: false,
      message: expect.stringContaining(words),
    }),
  );
});
