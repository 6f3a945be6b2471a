import { RuntimeError } from '../../base/errors.js';

/** One page of a list: as many items as fit both the caller's limit and a size that a model can take in. */
export interface Page<Item> {
  items: Item[];
  next_cursor?: string;
}

export interface PageWishes {
  limit: number | undefined;
  byDefault: number;
}

/** Characters of a page that nobody asked to be long, and of any page. */
const defaultSize = 1_900;
const largestSize = 19_000;

/** How many rows to read: one more than are shown, to know whether there are others. */
export const rowsFor = ({ limit, byDefault }: PageWishes): number => (limit ?? byDefault) + 1;

/** Cuts rows to a page. `cursorOf` gives the place of a row in the list's order. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  wishes: PageWishes,
  show: (row: Row) => Item,
  cursorOf: (row: Row) => number | string,
): Page<Item> {
  const most = wishes.limit ?? wishes.byDefault;
  const size = wishes.limit === undefined ? defaultSize : largestSize;
  const items: Item[] = [];
  let used = 0;
  let last: Row | undefined;
  for (const row of rows.slice(0, most)) {
    const item = show(row);
    used += JSON.stringify(item).length + 1;
    if (items.length > 0 && used > size) break;
    items.push(item);
    last = row;
  }
  const isLast = items.length === rows.length || last === undefined;
  return isLast ? { items } : { items, next_cursor: String(cursorOf(last as Row)) };
}

/** The place where the next page starts. Throws `invalid` for text that no list has returned. */
export function fromCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const place = Number(cursor);
  if (Number.isSafeInteger(place) && place > 0) return place;
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(cursor)} is not a cursor.`,
    'Pass the next_cursor of an earlier page.',
  );
}

/** A text cut to a length, saying how much is missing and how to have it. */
export function cutWithCount(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}... [${text.length - most} more characters; pass fields "full"]`;
}
