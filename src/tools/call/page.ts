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
  /** How many rows all pages have together. Asked only when they are more than this one. */
  total(): Promise<number>;
  /** A row, its title or other line of text cut to so many characters. */
  show(row: NoInfer<Row>, longestLine: number): Item;
  /** The place of a row in the list's order: the cursor of the page after it. */
  placeOf(row: NoInfer<Row>): number | string;
  /** Fields that a crowded page says once, where most of its items have the same. */
  shared?: readonly string[];
  /** Fields that a crowded page does without. */
  spared?: readonly string[];
}

/** One page of a list as every list tool returns it. */
export type Page<Key extends string, Item> = { [_ in Key]: Item[] } & {
  count: number;
  total: number;
  next_cursor?: string;
  /** What an item has that does not say otherwise. */
  defaults?: Record<string, unknown>;
};

/**
 * One page of a list as every list tool returns it: `{[key]: items, count, total, next_cursor?, defaults?}`. It has as
 * many items as fit both the caller's limit and a size that a model can take in. Where the caller gives no limit and
 * fewer than 30 items fit, they are made shorter, so that one look shows much of a long list.
 */
export async function pagedList<Key extends string, Row, Item>(
  key: Key,
  request: PageRequest,
  list: PagedList<Row, Item>,
): Promise<Page<Key, Item>> {
  const most = request.limit ?? list.byDefault;
  // One row more than is shown says whether there is another page.
  const rows = await list.read(most + 1);
  const { items, defaults } = mostThatFit(rows.slice(0, most), request.limit, list);
  const lastRow = rows[items.length - 1];
  const isMore = items.length < rows.length && lastRow !== undefined;
  return {
    [key]: items,
    count: items.length,
    total: isMore || request.cursor !== undefined ? await list.total() : items.length,
    ...(isMore ? { next_cursor: String(list.placeOf(lastRow)) } : {}),
    ...(defaults ? { defaults } : {}),
  } as Page<Key, Item>;
}

/** The output schema that goes with `pagedList`. */
export function pageOutput<Key extends string, Item extends z.ZodType>(key: Key, item: Item) {
  const page = {
    [key]: z.array(item),
    count: z.int(),
    total: z.int(),
    next_cursor: z.string().optional(),
    defaults: z.record(z.string(), z.unknown()).optional(),
  };
  return z.strictObject(page as { [_ in Key]: z.ZodArray<Item> } & PageEnd);
}

interface PageEnd {
  count: z.ZodInt;
  total: z.ZodInt;
  next_cursor: z.ZodOptional<z.ZodString>;
  defaults: z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodUnknown>>;
}

/** A page of a long list shows at least so many items, if they can be made short enough. */
const wantedItems = 30;
/** Ways to show the items of a page, from the roomiest to the shortest. */
const layouts = [
  { longestLine: 60, isCrowded: false },
  { longestLine: 40, isCrowded: false },
  { longestLine: 60, isCrowded: true },
  { longestLine: 40, isCrowded: true },
  { longestLine: 28, isCrowded: true },
  { longestLine: 20, isCrowded: true },
];
/** Characters that a page has around its items. */
const frameSize = 90;

interface Layout<Item> {
  items: Item[];
  defaults?: Record<string, unknown> | undefined;
}

/** The rows in the first layout in which enough of them fit. A caller who gives a limit gets the roomiest. */
function mostThatFit<Row, Item>(
  rows: readonly Row[],
  limit: number | undefined,
  { show, shared = [], spared = [] }: Pick<PagedList<Row, Item>, 'show' | 'shared' | 'spared'>,
): Layout<Item> {
  const page = { limit, byDefault: rows.length };
  let best: Layout<Item> = { items: [] };
  for (const { longestLine, isCrowded } of layouts) {
    const shown = rows.map((row) => show(row, longestLine));
    const defaults = isCrowded ? sharedBy(shown, shared) : undefined;
    const framed = frameSize + (defaults ? JSON.stringify(defaults).length : 0);
    const shorten = (item: Item) => (isCrowded ? withoutDefaults(item, defaults, spared) : item);
    const { items } = firstThatFit(shown, page, shorten, framed);
    if (items.length > best.items.length) best = { items, defaults };
    if (limit !== undefined || best.items.length >= Math.min(wantedItems, rows.length)) break;
  }
  return best;
}

/** Of the fields that all items have, the value that most of them have. */
function sharedBy(items: readonly unknown[], fields: readonly string[]): Record<string, unknown> | undefined {
  const defaults = fields.flatMap((field): [string, unknown][] => {
    const values = items.map((item) => (item as Record<string, unknown>)[field]);
    if (values.includes(undefined)) return [];
    const counts = new Map<unknown, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const [commonest] = [...counts].sort(([, a], [, b]) => b - a);
    return commonest && commonest[1] > 1 ? [[field, commonest[0]]] : [];
  });
  return defaults.length === 0 ? undefined : Object.fromEntries(defaults);
}

function withoutDefaults<Item>(
  item: Item,
  defaults: Record<string, unknown> = {},
  spared: readonly string[] = [],
): Item {
  const own = Object.entries(item as object).filter(
    ([name, value]) => !spared.includes(name) && !(name in defaults && defaults[name] === value),
  );
  return Object.fromEntries(own) as Item;
}

/** Characters of a page whose caller gave no limit, and of any page. */
const defaultSize = 1_990;
const largestSize = 19_000;

/** The first rows that fit the limit and the size, shown; always at least one. */
export function firstThatFit<Row, Item>(
  rows: readonly Row[],
  { limit, byDefault }: { limit: number | undefined; byDefault: number },
  show: (row: Row) => Item,
  framed = frameSize,
): { items: Item[] } {
  const size = limit === undefined ? defaultSize : largestSize;
  const items: Item[] = [];
  let used = framed;
  for (const row of rows.slice(0, limit ?? byDefault)) {
    const item = show(row);
    used += JSON.stringify(item).length + 1;
    if (items.length > 0 && used > size) break;
    items.push(item);
  }
  return { items };
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
