import type { Clock } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Database, Statement } from '../../store/sql.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import { digestOf } from './call-key.js';

export interface CachedAnswer {
  answer: ToolAnswer;
  ageMs: number;
}

export interface CallCache {
  /** The answer kept under a key, if it is no older than that. */
  find(key: string, maxAgeMs: number): Promise<CachedAnswer | undefined>;
  keep(key: string, tool: string, answer: ToolAnswer): void;
  /** Whether anything waits to be written. */
  isDue(): boolean;
  flush(): Promise<void>;
  /** What is still to be written, for a process that ends. */
  ending(): Statement[];
}

/** A longer answer is not kept, and all together are not let grow over this. */
const longestAnswer = 1_000_000;
const largestCache = 50_000_000;
const oldestMs = 30 * 86_400_000;
const flushesToTrim = 20;

/**
 * Good answers by tool and arguments, in the database that all sessions share. Written a little later than they come, so
 * that a call does not wait for the disk; the newest of each key stands in memory until then.
 */
export function createCallCache({ db, clock }: { db: Database; clock: Clock }): CallCache {
  let flushes = 0;
  const waiting = new Map<string, { tool: string; answer: ToolAnswer; storedAt: number }>();

  function* statements(): Generator<Statement> {
    for (const [key, { tool, answer, storedAt }] of waiting) {
      const text = JSON.stringify(answer);
      if (text.length > longestAnswer) continue;
      yield { text: upsert, values: [digestOf(key), tool, text, text.length, storedAt] };
    }
  }

  return {
    async find(key, maxAgeMs) {
      // A clock that was set back makes an answer of the future: it is taken for new.
      const ageOf = (storedAt: number) => Math.max(0, clock.now() - storedAt);
      const own = waiting.get(key);
      if (own) return ageOf(own.storedAt) <= maxAgeMs ? { answer: own.answer, ageMs: ageOf(own.storedAt) } : undefined;
      const row = await db.get<{ result: string; stored_at: number }>(
        'select result, stored_at from tool_cache where key = ?',
        digestOf(key),
      );
      if (!row || ageOf(row.stored_at) > maxAgeMs) return undefined;
      return { answer: readJson<ToolAnswer>(row.result), ageMs: ageOf(row.stored_at) };
    },

    keep(key, tool, answer) {
      waiting.set(key, { tool, answer, storedAt: clock.now() });
    },

    isDue: () => waiting.size > 0,

    async flush() {
      if (waiting.size === 0) return;
      const batch = [...statements()];
      const written = new Map(waiting);
      await db.transaction(async (sql) => {
        for (const { text, values } of batch) await sql.run(text, ...values);
        // Reads the whole table, which has no need to be exact.
        if (flushes++ % flushesToTrim !== 0) return;
        await sql.run('delete from tool_cache where stored_at < ?', clock.now() - oldestMs);
        await sql.run(dropOldest, largestCache);
      });
      for (const [key, entry] of written) if (waiting.get(key) === entry) waiting.delete(key);
    },

    ending: () => [...statements()],
  };
}

const upsert = `insert into tool_cache (key, tool, result, size, stored_at) values (?, ?, ?, ?, ?)
  on conflict (key) do update set result = excluded.result, size = excluded.size, stored_at = excluded.stored_at`;

/** What is left when the newest are added up until the cache is full. */
const dropOldest = `delete from tool_cache where key in (
  select key from (select key, sum(size) over (order by stored_at desc, key) as total from tool_cache) where total > ?)`;
