import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import type { Database } from '../../store/sql.js';

/** No answer is kept longer, whatever its tool allows. */
export const longestAgeMs = 7 * 86_400_000;

/** How much is kept, of all tools together; the newest. */
export const mostAnswers = 500;
export const mostCharacters = 10_000_000;

interface AnswerNeeds {
  db: Database;
  clock: Clock;
  log: Log;
}

export interface Keeping {
  /** Names the tool and its input. */
  key: string;
  maxAgeMs: number;
}

/**
 * The answer that some process got for `key` not longer ago than `maxAgeMs`, with its `age_seconds`; otherwise that of
 * `make`, which is kept. An error is not kept.
 */
export async function keepAnswer(
  { db, clock, log }: AnswerNeeds,
  { key, maxAgeMs }: Keeping,
  make: () => Promise<JsonObject>,
): Promise<JsonObject> {
  const hash = createHash('sha256').update(key).digest('hex');
  const now = clock.now();
  // One from the future is from before the clock was set back, and its age is not known.
  const kept = await db.get<{ answer: string; at: number }>(
    'select answer, at from native_answers where key = ? and at > ? and at <= ?',
    hash,
    now - maxAgeMs,
    now,
  );
  if (kept) return { ...readJson<JsonObject>(kept.answer), age_seconds: Math.floor((now - kept.at) / 1000) };
  const answer = await make();
  try {
    await store(db, hash, JSON.stringify(answer), clock.now());
  } catch (error) {
    // The answer itself is good.
    log.warn('an answer could not be kept', { error });
  }
  return answer;
}

async function store(db: Database, key: string, answer: string, now: number): Promise<void> {
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
    await sql.run(
      `delete from native_answers where key in (
         select key from (
           select key, row_number() over newest_first as place, sum(size) over newest_first as characters
           from native_answers
           window newest_first as (order by at desc, key rows unbounded preceding)
         ) as kept
         where place > ? or characters > ?)`,
      mostAnswers,
      mostCharacters,
    );
  });
}
