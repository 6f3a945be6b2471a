import type { Output, Paint } from './output.js';
import { lettersOf, textWidth } from './text-width.js';

/** A column of a table for people. */
export interface Column<Row> {
  title: string;
  value(row: Row): string;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  /** A text column, which is cut first when the table is wider than the terminal. */
  isText?: boolean;
  /** Colours a cell that is already as wide as its column. */
  paint?(cell: string, row: Row): string;
}

const gap = 2;
const narrowest = 8;

/**
 * Rows under headers, no wider than `width` columns of the terminal: cells that do not fit end in `…`. A column that is
 * empty in every row is left out. No control character of a cell gets out.
 */
export function renderTable<Row>(
  declared: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint }: { width: number; paint: Paint },
): string {
  const columns = declared
    .map((column) => ({ column, cells: rows.map((row) => oneLine(column.value(row))) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const widths = fitWidths(
    columns.map(({ column, cells }) => ({
      width: Math.max(textWidth(column.title), ...cells.map((cell) => textWidth(cell))),
      isText: column.isText === true,
    })),
    width,
  );
  const line = (cellOf: (index: number) => string, paintCell: (cell: string, index: number) => string) =>
    columns
      .map(({ column }, index) => {
        const isLast = index === columns.length - 1;
        return paintCell(pad(cellOf(index), widths[index] ?? 0, column.isNumber === true, isLast), index);
      })
      .join(' '.repeat(gap));
  return [
    line(
      (index) => columns[index]?.column.title ?? '',
      (cell) => paint('bold', cell),
    ),
    ...rows.map((row, place) =>
      line(
        (index) => columns[index]?.cells[place] ?? '',
        (cell, index) => columns[index]?.column.paint?.(cell, row) ?? cell,
      ),
    ),
  ].join('\n');
}

/** Prints a table as wide as the terminal at most. */
export function printTable<Row>(
  { columns, paint, print }: Pick<Output, 'columns' | 'paint' | 'print'>,
  declared: readonly Column<NoInfer<Row>>[],
  rows: readonly Row[],
): void {
  print(renderTable(declared, rows, { width: columns(), paint }));
}

/** Takes the excess from the widest text columns, and from any column if that is not enough. */
function fitWidths(columns: readonly { width: number; isText: boolean }[], most: number): number[] {
  const widths = columns.map(({ width }) => width);
  const total = () => widths.reduce((sum, width) => sum + width, gap * Math.max(0, widths.length - 1));
  const narrow = (isAllowed: (index: number) => boolean, least: number) => {
    while (total() > most) {
      const widest = Math.max(...widths.filter((width, index) => isAllowed(index) && width > least), 0);
      const index = widths.findIndex((width, place) => isAllowed(place) && width === widest);
      if (widest === 0 || index === -1) return;
      widths[index] = widest - 1;
    }
  };
  narrow((index) => columns[index]?.isText === true, narrowest);
  narrow(() => true, 1);
  return widths;
}

function pad(text: string, width: number, isRight: boolean, isLast: boolean): string {
  const cell = cutToWidth(text, width);
  const blanks = ' '.repeat(Math.max(0, width - textWidth(cell)));
  if (isRight) return blanks + cell;
  return isLast ? cell : cell + blanks;
}

/** A text of at most `width` columns of a terminal. A longer one is cut between letters and ends in `…`. */
export function cutToWidth(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const letter of lettersOf(text)) {
    used += textWidth(letter);
    if (used > width - 1) break;
    kept += letter;
  }
  return `${kept.trimEnd()}…`;
}

/** A text on one line, without control characters and without marks that turn the direction of what follows. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\u{fffd}');
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

let words: Intl.RelativeTimeFormat | undefined;

/** A time as seen from `now`, both in ms since 1970: `3h ago`, `in 5min`. */
export function relativeTime(at: number, now: number): string {
  const difference = at - now;
  const [unit, ms] = units.find(([, size]) => Math.abs(difference) >= size) ?? units[3];
  // Made when first needed: it loads much, and most commands show no time.
  words ??= new Intl.RelativeTimeFormat('en', { style: 'narrow' });
  return words.format(Math.trunc(difference / ms), unit);
}

/** A time in ISO 8601 as seen from `now`; empty for none. */
export function relativeIso(at: string | null | undefined, now: number): string {
  return at ? relativeTime(Date.parse(at), now) : '';
}
