import { createHash } from 'node:crypto';
import type { Clock, EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import type { Database, Sql } from '../../store/sql.js';

/** Every answer is deleted at this age, however long its tool would keep it. */
export const longestAgeMs = 7 * 86_400_000;

/** The cache holds the newest answers of all tools together, up to these limits. */
export const mostAnswers = 500;
export const mostCharacters = 10_000_000;

export interface CachedAnswer {
  /** Names the tool and its input. */
  key: string;
  maxAgeMs: number;
}

/**
 * Resolves to the answer that any process stored under `key` within the last `maxAgeMs`, with its `age_seconds` added.
 * Without one it runs `make` and stores the result. An error of `make` is thrown and not stored.
 */
export async function keepAnswer(
  { db, clock, log }: { db: Database; clock: Clock; log: Log },
  { key, maxAgeMs }: CachedAnswer,
  make: () => Promise<JsonObject>,
): Promise<JsonObject> {
  const hash = createHash('sha256').update(key).digest('hex');
  const now = clock.now();
  // A row from the future was written before the clock was set back: its age is unknown, so it is not used.
  const stored = await db.get<{ answer: string; at: EpochMs }>(
    'select answer, at from native_answers where key = ? and at > ? and at <= ?',
    hash,
    now - maxAgeMs,
    now,
  );
  if (stored) return { ...readJson<JsonObject>(stored.answer), age_seconds: Math.floor((now - stored.at) / 1000) };
  const answer = await make();
  try {
    await store(db, hash, JSON.stringify(answer), clock.now());
  } catch (error) {
    // The answer itself is good, so the call succeeds.
    log.warn('an answer could not be stored', { error });
  }
  return answer;
}

/** Deletes the answers stored before a time; resolves to how many there were. */
export function deleteOldAnswers(sql: Sql, before: EpochMs): Promise<number> {
  return sql.run('delete from native_answers where at < ?', before);
}

async function store(db: Database, key: string, answer: string, now: EpochMs): Promise<void> {
  if (answer.length > mostCharacters) return;
  await db.transaction(async (sql) => {
    await sql.run(
      `insert into native_answers (key, answer, size, at) values (?, ?, ?, ?)
       on conflict (key) do update set answer = excluded.answer, size = excluded.size, at = excluded.at`,
      key,
      answer,
      answer.length,
      now,
    );
    await sql.run('delete from native_answers where at <= ? or at > ?', now - longestAgeMs, now);
    await sql.run(dropBeyondLimits, mostAnswers, mostCharacters);
  });
}

const dropBeyondLimits = `delete from native_answers where key in (
  select key from (
    select key, row_number() over newest_first as place, sum(size) over newest_first as characters
    from native_answers
    window newest_first as (order by at desc, key rows unbounded preceding)
  ) as kept
  where place > ? or characters > ?)`;
