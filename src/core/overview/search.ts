import { setImmediate } from 'node:timers/promises';
import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { type Fragment, where } from '../../store/where.js';
import { havingWord, numberIn, wordsOf } from '../tasks/containing.js';

export const foundKinds = ['task', 'goal', 'job', 'relay', 'message', 'breaker'] as const;
export type FoundKind = (typeof foundKinds)[number];

export interface Found {
  id: string;
  status: string | null;
  at: EpochMs;
  /** The text around the first word, where it is not in the name. */
  snippet: string | undefined;
}

export interface FoundOfKind {
  kind: FoundKind;
  /** Counted to `mostCounted`. */
  total: number;
  /** The newest first. */
  found: Found[];
}

interface Source {
  table: string;
  /** By which the newest are first. */
  order: string;
  status: string;
  at: string;
  /** What is read for people to see; the first is the name. */
  texts: readonly [string, ...string[]];
}

const sources: Readonly<Record<FoundKind, Source>> = {
  task: {
    table: 'tasks',
    order: 'id',
    status: 'status',
    at: 'updated_at',
    texts: ['title', 'key', 'description', 'result', 'error'],
  },
  goal: { table: 'goals', order: 'id', status: 'status', at: 'created_at', texts: ['name', 'description'] },
  job: {
    table: 'jobs',
    order: 'seq',
    status: 'status',
    at: 'created_at',
    texts: ['payload', 'output', 'error_message', 'type', 'id'],
  },
  relay: {
    table: 'relay_pipelines',
    order: 'seq',
    status: 'status',
    at: 'created_at',
    texts: ['name', 'goal', 'description', 'error_message', 'id'],
  },
  message: { table: 'messages', order: 'id', status: 'importance', at: 'sent_at', texts: ['subject', 'body'] },
  breaker: { table: 'breakers', order: 'id', status: 'state', at: 'updated_at', texts: ['id', 'reason'] },
};

export const mostCounted = 1_000;

/**
 * What has all words of a text in one of its texts, in any order and case, by kind. `#8` is the task with that number. No
 * index covers the inside of a text, so every row is read; other requests are answered between two kinds.
 */
export async function search(
  sql: Sql,
  text: string,
  limit: number,
  kinds: readonly FoundKind[] = foundKinds,
): Promise<FoundOfKind[]> {
  const words = wordsOf(text);
  const isNumbered = words.some((word) => numberIn(word) !== undefined);
  const results: FoundOfKind[] = [];
  for (const kind of kinds) {
    await setImmediate();
    const isWanted = words.length > 0 && (kind === 'task' || !isNumbered);
    results.push(isWanted ? await searchKind(sql, kind, words, limit) : { kind, total: 0, found: [] });
  }
  return results;
}

async function searchKind(sql: Sql, kind: FoundKind, words: readonly string[], limit: number): Promise<FoundOfKind> {
  const { table, order, status, at, texts } = sources[kind];
  const found = where(...words.map((word) => inTexts(kind, word, texts)));
  const ids = await sql.all<{ id: string | number }>(
    `select id from ${table} ${found.text} order by ${order} desc limit ${mostCounted}`,
    ...found.values,
  );
  const shown = ids.slice(0, limit).map(({ id }) => id);
  if (shown.length === 0) return { kind, total: 0, found: [] };
  const rows = await sql.all<Record<string, string | number | null>>(
    `select id, ${status} as status, ${at} as at, ${texts.map((column, place) => `${column} as text_${place}`).join(', ')}
     from ${table} where id in (${shown.map(() => '?').join(', ')}) order by ${order} desc`,
    ...shown,
  );
  return {
    kind,
    total: ids.length,
    found: rows.map((row) => ({
      id: String(row.id),
      status: row.status === null ? null : String(row.status),
      at: Number(row.at),
      snippet: snippetOf(
        texts.map((_, place) => row[`text_${place}`]),
        words,
        kind === 'job' ? 0 : 1,
      ),
    })),
  };
}

function inTexts(kind: FoundKind, word: string, texts: readonly string[]): Fragment {
  const inText = havingWord(word, texts);
  if (kind !== 'task' || !/^\d{1,12}$/.test(word)) return inText;
  return { text: `(${inText.text} or id = ?)`, values: [...inText.values, Number(word)] };
}

const before = 40;
const longestSnippet = 180;

/** The text around the first word that is found in the texts from a place on; nothing where all are in the name. */
function snippetOf(texts: readonly unknown[], words: readonly string[], from: number): string | undefined {
  for (const word of words) {
    const wanted = word.toLowerCase();
    if (from > 0 && String(texts[0]).toLowerCase().includes(wanted)) continue;
    for (const text of texts.slice(from)) {
      if (typeof text !== 'string') continue;
      const place = text.toLowerCase().indexOf(wanted);
      if (place < 0) continue;
      const start = Math.max(0, place - before);
      const piece = text.slice(start, start + longestSnippet).replaceAll(/\s+/g, ' ');
      return `${start > 0 ? '…' : ''}${piece}${text.length > start + longestSnippet ? '…' : ''}`;
    }
  }
  return undefined;
}
