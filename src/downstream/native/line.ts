import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';

/**
 * The line before a service that wants one request at a time, with time between, from all processes together. It is a
 * row; time is the monotonic clock, which all processes of one boot share and nobody sets back.
 */
export interface LineRules {
  /** How the service is called, here and in messages. */
  service: string;
  /** From the start of a request to the start of the next. */
  gapMs: number;
  /** A turn that is not given back is over by then: its process has died. */
  turnMs: number;
}

interface LineNeeds {
  db: Database;
  clock: Clock;
}

/** How often to look whether a slow request of another process has ended. */
const lookMs = 150;

export type Line = ReturnType<typeof createLine>;

export function createLine({ service, gapMs, turnMs }: LineRules, { db, clock }: LineNeeds) {
  /** Gives the start of a new turn by one statement, or nothing if that is further away than `patienceMs`. */
  async function queue(patienceMs: number): Promise<number | undefined> {
    const now = clock.tick();
    const row = await db.transaction((sql) =>
      sql.get<{ start: number }>(
        `insert into native_lines (service, boot_id, queued_tick, free_tick) values (?, ?, ?, ?)
         on conflict (service) do update set
           boot_id = excluded.boot_id,
           queued_tick = ? + case
             when native_lines.boot_id = excluded.boot_id and native_lines.queued_tick > ? then native_lines.queued_tick
             else ? end,
           free_tick = case when native_lines.boot_id = excluded.boot_id then native_lines.free_tick
             else excluded.free_tick end,
           turn = case when native_lines.boot_id = excluded.boot_id then native_lines.turn end,
           turn_until_tick = case when native_lines.boot_id = excluded.boot_id then native_lines.turn_until_tick end
         where native_lines.boot_id <> excluded.boot_id or native_lines.queued_tick <= ?
         returning queued_tick - ? as start`,
        service,
        clock.bootId,
        now + gapMs,
        now,
        gapMs,
        now,
        now,
        now + patienceMs,
        gapMs,
      ),
    );
    return row?.start;
  }

  /** Whoever leaves while nobody stands behind gives the place back. */
  async function leave(start: number): Promise<void> {
    await db.run(
      'update native_lines set queued_tick = ? where service = ? and boot_id = ? and queued_tick = ?',
      start,
      service,
      clock.bootId,
      start + gapMs,
    );
  }

  async function begin(turn: string): Promise<boolean> {
    const now = clock.tick();
    const changed = await db.run(
      `update native_lines set turn = ?, turn_until_tick = ?, free_tick = ?
       where service = ? and free_tick <= ? and (turn is null or turn_until_tick <= ?)`,
      turn,
      now + turnMs,
      now + gapMs,
      service,
      now,
      now,
    );
    return changed === 1;
  }

  async function end(turn: string): Promise<void> {
    await db.run(
      'update native_lines set turn = null, turn_until_tick = null where service = ? and turn = ?',
      service,
      turn,
    );
  }

  async function wait(start: number, turn: string, signal: AbortSignal): Promise<void> {
    try {
      await sleep(Math.max(0, start - clock.tick()), undefined, { signal });
    } catch (error) {
      await leave(start);
      throw error;
    }
    while (!(await begin(turn))) await sleep(lookMs, undefined, { signal });
  }

  return {
    /**
     * Runs `request` when its turn has come. Throws `rate_limited` at once, with when to come back, if that would not
     * be within `patienceMs`; and as `sleep` does if `signal` aborts while it waits.
     */
    async take<Result>(patienceMs: number, signal: AbortSignal, request: () => Promise<Result>): Promise<Result> {
      const start = await queue(patienceMs);
      if (start === undefined) throw await tooLong();
      const turn = randomUUID();
      await wait(start, turn, signal);
      try {
        return await request();
      } finally {
        await end(turn);
      }
    },

    /** Nobody starts before so long from now: the service has asked for it. */
    async holdBack(ms: number): Promise<void> {
      const until = clock.tick() + ms;
      await db.transaction(async (sql: Sql) => {
        await sql.run(
          'update native_lines set free_tick = ? where service = ? and free_tick < ?',
          until,
          service,
          until,
        );
        await sql.run(
          'update native_lines set queued_tick = ? where service = ? and queued_tick < ?',
          until,
          service,
          until,
        );
      });
    },
  };

  async function tooLong(): Promise<RuntimeError> {
    const row = await db.get<{ queued_tick: number }>(
      'select queued_tick from native_lines where service = ?',
      service,
    );
    const seconds = Math.max(1, Math.ceil(((row?.queued_tick ?? 0) - clock.tick()) / 1000));
    return new RuntimeError(
      'rate_limited',
      `The line before ${service} is too long: the next request may start in ${seconds} s.`,
      `Try again in ${seconds} s. All sessions of this machine share one line, as ${service} asks.`,
      { retryAfterSeconds: seconds },
    );
  }
}
