import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database } from '../../store/sql.js';

/** What a service asks of its clients. */
export interface RateLimit {
  /** The service's name: the key of its row, and in messages. */
  service: string;
  /** From the start of one request to the start of the next. */
  gapMs: number;
  /** A turn that has not ended by then is over: its process has died. */
  turnMs: number;
}

/** How often a waiting process checks whether another one's slow request has ended. */
const pollMs = 150;

/**
 * Lets one request at a time go to a service, with a gap between them, from all processes of this machine together.
 *
 * The state is one row a service. A caller first reserves a start time (`queued_tick`, the end of the queue), waits for
 * it, and then takes the turn. Times are the monotonic clock's, which all processes of one boot share and which is never
 * set back; a row of another boot counts as empty.
 */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(limit: RateLimit, { db, clock }: { db: Database; clock: Clock }) {
    this.#limit = limit;
    this.#db = db;
    this.#clock = clock;
  }

  /**
   * Runs `request` when its turn has come. Throws `rate_limited` at once, with the time to come back, if the wait would
   * be longer than `patienceMs`. Throws as `sleep` does if `signal` aborts during the wait.
   */
  async run<Result>(patienceMs: number, signal: AbortSignal, request: () => Promise<Result>): Promise<Result> {
    const start = await this.#reserveStart(patienceMs);
    if (start === undefined) throw await this.#queueTooLong();
    const turn = randomUUID();
    await this.#wait(start, turn, signal);
    try {
      return await request();
    } finally {
      await this.#endTurn(turn);
    }
  }

  /** No request of any process starts within the next `ms`: the service has asked for this pause. */
  async pause(ms: number): Promise<void> {
    const { service } = this.#limit;
    const until = this.#clock.tick() + ms;
    await this.#db.run(
      `update native_lines set free_tick = max(free_tick, ?), queued_tick = max(queued_tick, ?) where service = ?`,
      until,
      until,
      service,
    );
  }

  /** Reserves the next start time in one statement. Undefined if it is further away than `patienceMs`. */
  async #reserveStart(patienceMs: number): Promise<number | undefined> {
    const { service, gapMs } = this.#limit;
    const now = this.#clock.tick();
    const row = await this.#db.transaction((sql) =>
      sql.get<{ start: number }>(
        reserve,
        service,
        this.#clock.bootId,
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

  async #wait(start: number, turn: string, signal: AbortSignal): Promise<void> {
    try {
      await sleep(Math.max(0, start - this.#clock.tick()), undefined, { signal });
    } catch (error) {
      await this.#giveBack(start);
      throw error;
    }
    while (!(await this.#beginTurn(turn))) await sleep(pollMs, undefined, { signal });
  }

  /** Frees a reserved start time, if it is still the last of the queue. */
  async #giveBack(start: number): Promise<void> {
    const { service, gapMs } = this.#limit;
    await this.#db.run(
      'update native_lines set queued_tick = ? where service = ? and boot_id = ? and queued_tick = ?',
      start,
      service,
      this.#clock.bootId,
      start + gapMs,
    );
  }

  /** Resolves to false while another process has the turn, or the service wants a pause. */
  async #beginTurn(turn: string): Promise<boolean> {
    const { service, gapMs, turnMs } = this.#limit;
    const now = this.#clock.tick();
    const changed = await this.#db.run(
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

  async #endTurn(turn: string): Promise<void> {
    await this.#db.run(
      'update native_lines set turn = null, turn_until_tick = null where service = ? and turn = ?',
      this.#limit.service,
      turn,
    );
  }

  async #queueTooLong(): Promise<RuntimeError> {
    const { service } = this.#limit;
    const row = await this.#db.get<{ queued_tick: number }>(
      'select queued_tick from native_lines where service = ?',
      service,
    );
    const seconds = Math.max(1, Math.ceil(((row?.queued_tick ?? 0) - this.#clock.tick()) / 1000));
    return new RuntimeError(
      'rate_limited',
      `The queue for ${service} is full: the next request may start in ${seconds} s.`,
      `Try again in ${seconds} s. All sessions of this machine share one queue, as ${service} asks.`,
      { retryAfterSeconds: seconds },
    );
  }
}

/** Appends to the queue unless it is too long, and returns the start time. A row of another boot starts anew. */
const reserve = `insert into native_lines (service, boot_id, queued_tick, free_tick) values (?, ?, ?, ?)
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
  returning queued_tick - ? as start`;
