import { z } from 'zod';
import { type FoundOfKind, foundKinds } from '../../core/overview/search.js';
import { iso } from '../../tools/call/fields.js';
import { names } from './names.js';

const found = z.strictObject({
  /** Its reference: `task:8`. */
  of: z.string(),
  status: z.string().optional(),
  at: z.string(),
  /** The text around the first word. */
  snippet: z.string().optional(),
});

/** `search`: what was found, by kind, the newest first. */
export const searchResult = z.strictObject({
  groups: z.array(
    z.strictObject({
      kind: z.enum(foundKinds),
      total: z.int(),
      /** There may be more than `total`. */
      more: z.boolean(),
      found: z.array(found),
    }),
  ),
  names,
});

export type SearchResult = z.infer<typeof searchResult>;

export const showGroup = ({ kind, total, found }: FoundOfKind, most: number): SearchResult['groups'][number] => ({
  kind,
  total,
  more: total >= most,
  found: found.map(({ id, status, at, snippet }) => ({
    of: `${kind}:${id}`,
    status: status ?? undefined,
    at: iso(at),
    snippet,
  })),
});
