import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import type { Actor } from '../../core/actor.js';

/** What a caller of a list may ask for. */
export interface PageRequest {
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface PagedList<Row, Item> {
  /** How many items a page has unless the caller says otherwise. */
  byDefault: number;
  /** Reads at most `limit` rows of the list, in its order, from the caller's cursor on. */
  read(limit: number): Promise<readonly Row[]>;
  show(row: NoInfer<Row>): Item;
  /** The place of a row in the list's order: the cursor of the page after it. */
  placeOf(row: NoInfer<Row>): number | string;
}

/** One page of a list as every list tool returns it. */
export type Page<Key extends string, Item> = { [_ in Key]: Item[] } & { count: number; next_cursor?: string };

/**
 * One page of a list as every list tool returns it: `{[key]: items, count, next_cursor?}`. It has as many items as fit
 * both the caller's limit and a size that a model can take in.
 */
export async function pagedList<Key extends string, Row, Item>(
  key: Key,
  request: PageRequest,
  { byDefault, read, show, placeOf }: PagedList<Row, Item>,
): Promise<Page<Key, Item>> {
  // One row more than is shown says whether there is another page.
  const rows = await read((request.limit ?? byDefault) + 1);
  const { items, lastRow } = firstThatFit(rows, { limit: request.limit, byDefault }, show);
  const next = items.length < rows.length && lastRow !== undefined ? { next_cursor: String(placeOf(lastRow)) } : {};
  return { [key]: items, count: items.length, ...next } as Page<Key, Item>;
}

/** The output schema that goes with `pagedList`. */
export function pageOutput<Key extends string, Item extends z.ZodType>(key: Key, item: Item) {
  const page = { [key]: z.array(item), count: z.int(), next_cursor: z.string().optional() };
  return z.strictObject(page as { [_ in Key]: z.ZodArray<Item> } & PageEnd);
}

interface PageEnd {
  count: z.ZodInt;
  next_cursor: z.ZodOptional<z.ZodString>;
}

/** Characters of a page whose caller gave no limit, and of any page. */
const defaultSize = 1_900;
const largestSize = 19_000;

/** The first rows that fit the limit and the size, shown; always at least one. */
export function firstThatFit<Row, Item>(
  rows: readonly Row[],
  { limit, byDefault }: { limit: number | undefined; byDefault: number },
  show: (row: Row) => Item,
): { items: Item[]; lastRow: Row | undefined } {
  const size = limit === undefined ? defaultSize : largestSize;
  const items: Item[] = [];
  let used = 0;
  let lastRow: Row | undefined;
  for (const row of rows.slice(0, limit ?? byDefault)) {
    const item = show(row);
    used += JSON.stringify(item).length + 1;
    if (items.length > 0 && used > size) break;
    items.push(item);
    lastRow = row;
  }
  return { items, lastRow };
}

/** Items of a list that is in memory, from a cursor on, each with its place. */
export function placed<Item extends object>(items: readonly Item[], cursor: string | undefined) {
  return items.map((item, index) => ({ ...item, place: index + 1 })).slice(fromCursor(cursor) ?? 0);
}

/** The place after which the next page starts. Throws `invalid` for text that no list has returned. */
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

/** The project that a list is kept to: the caller's own; undefined when it asks for all projects or works in none. */
export function projectOf(actor: Actor, scope: 'project' | 'all' | undefined): string | undefined {
  return scope === 'all' || actor.project === '' ? undefined : actor.project;
}

/** A text cut to a length, saying how much is missing and how to get it. */
export function cutWithCount(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}... [${text.length - most} more characters; pass fields "full"]`;
}
