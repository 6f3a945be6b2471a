import { createHash } from 'node:crypto';
import type { Clock, EpochMs } from '../../base/clock.js';
import { type Json, type JsonObject, readJson } from '../../base/json.js';
import type { Database, Statement } from '../../store/sql.js';
import type { ToolAnswer } from '../connection/tool-description.js';

export interface CachedAnswer {
  answer: ToolAnswer;
  ageMs: number;
}

interface Entry {
  tool: string;
  answer: ToolAnswer;
  storedAt: EpochMs;
}

/** A longer answer is not stored. The whole cache is kept under the second limit. Both in characters of JSON. */
const longestAnswer = 1_000_000;
const largestCache = 50_000_000;
const oldestMs = 30 * 86_400_000;
const flushesToTrim = 20;

/**
 * Good answers by tool and arguments, in the database that all sessions share. They are written a little later, so that
 * a call does not wait for the disk; until then the newest answer of each key is in memory.
 */
export class CallCache {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #unwritten = new Map<string, Entry>();
  #flushes = 0;

  constructor({ db, clock }: { db: Database; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** The answer stored under a key, if it is not older than `maxAgeMs`. */
  async find(key: string, maxAgeMs: number): Promise<CachedAnswer | undefined> {
    const unwritten = this.#unwritten.get(key);
    if (unwritten) {
      const ageMs = this.#ageOf(unwritten.storedAt);
      return ageMs <= maxAgeMs ? { answer: unwritten.answer, ageMs } : undefined;
    }
    const row = await this.#db.get<{ result: string; stored_at: EpochMs }>(
      'select result, stored_at from tool_cache where key = ?',
      digestOf(key),
    );
    if (!row) return undefined;
    const ageMs = this.#ageOf(row.stored_at);
    return ageMs <= maxAgeMs ? { answer: readJson<ToolAnswer>(row.result), ageMs } : undefined;
  }

  keep(key: string, tool: string, answer: ToolAnswer): void {
    this.#unwritten.set(key, { tool, answer, storedAt: this.#clock.now() });
  }

  hasUnwritten(): boolean {
    return this.#unwritten.size > 0;
  }

  /** Writes what is in memory, and now and then deletes what is too old or too much. */
  async flush(): Promise<void> {
    if (this.#unwritten.size === 0) return;
    const batch = this.statements();
    const written = new Map(this.#unwritten);
    await this.#db.transaction(async (sql) => {
      for (const { text, values } of batch) await sql.run(text, ...values);
      // Trimming reads the whole table and need not be exact.
      if (this.#flushes++ % flushesToTrim !== 0) return;
      await sql.run('delete from tool_cache where stored_at < ?', this.#clock.now() - oldestMs);
      await sql.run(dropOldest, largestCache);
    });
    for (const [key, entry] of written) if (this.#unwritten.get(key) === entry) this.#unwritten.delete(key);
  }

  /** The writes that are due, for a process that ends. */
  statements(): Statement[] {
    return [...this.#unwritten].flatMap(([key, { tool, answer, storedAt }]) => {
      const text = JSON.stringify(answer);
      if (text.length > longestAnswer) return [];
      return { text: upsert, values: [digestOf(key), tool, text, text.length, storedAt] };
    });
  }

  /** An answer from the future was stored before the clock was set back; it counts as new. */
  #ageOf(storedAt: EpochMs): number {
    return Math.max(0, this.#clock.now() - storedAt);
  }
}

const upsert = `insert into tool_cache (key, tool, result, size, stored_at) values (?, ?, ?, ?, ?)
  on conflict (key) do update set result = excluded.result, size = excluded.size, stored_at = excluded.stored_at`;

/** Adds up the sizes from the newest on, and deletes the answers beyond the limit. */
const dropOldest = `delete from tool_cache where key in (
  select key from (select key, sum(size) over (order by stored_at desc, key) as total from tool_cache) as summed where total > ?)`;

/** The same text for the same tool and arguments, in whatever order these are given, and in every process. */
export function callKey(tool: string, args: JsonObject): string {
  return `${tool}\n${canonical(args)}`;
}

/** The key in the database: arguments can be long, and secret. */
function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`);
  return `{${fields.join(',')}}`;
}
