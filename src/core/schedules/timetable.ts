import type { Cron } from 'croner';
import type { EpochMs } from '../../base/clock.js';
import { messageOf, RuntimeError } from '../../base/errors.js';

/**
 * When a schedule is due: five fields of cron, in a time zone. Where the clocks go forward, what falls into the missing
 * hour is due once, right after it; where they go back, what falls into the hour that comes twice is due in the first
 * one alone, unless it is due every so many minutes or hours.
 */
export class Timetable {
  readonly #cron: Cron;

  private constructor(cron: Cron) {
    this.#cron = cron;
  }

  /** Throws `invalid` for a text that is no cron expression, for one that never occurs, and for an unknown zone. */
  static async read(expression: string, timezone: string): Promise<Timetable> {
    requireTimezone(timezone);
    // Loaded when first needed: most sessions have no schedules.
    const { Cron } = await import('croner');
    const timetable = new Timetable(read(() => new Cron(expression, { timezone, mode: '5-part' }), expression));
    if (timetable.after(Date.now()) === undefined) {
      throw new RuntimeError('invalid', `cron ${JSON.stringify(expression)} never occurs.`, shape);
    }
    return timetable;
  }

  /** The first time after `at`; undefined if there is none. */
  after(at: EpochMs): EpochMs | undefined {
    return this.#cron.nextRun(new Date(at))?.getTime();
  }

  /** The next times after `at`, `count` at most. */
  next(at: EpochMs, count: number): EpochMs[] {
    return this.#cron.nextRuns(count, new Date(at)).map((date) => date.getTime());
  }

  /** The last times from `since` to `until`, both included, `most` of them at the most, oldest first. */
  between(since: EpochMs, until: EpochMs, most: number): EpochMs[] {
    const before = this.#cron.previousRuns(most, new Date(until + 1_000 - (until % 1_000)));
    const times = before.map((date) => date.getTime()).filter((at) => at >= since && at <= until);
    return times.sort((one, other) => one - other);
  }
}

const shape =
  'Give five fields: minute, hour, day of the month, month, day of the week. 0 9 * * 1-5 is 09:00 from Monday to Friday.';

function read(parse: () => Cron, expression: string): Cron {
  const fields = expression.trim().split(/\s+/).filter(Boolean);
  if (fields.length !== 5 && !expression.startsWith('@')) {
    throw new RuntimeError(
      'invalid',
      `cron ${JSON.stringify(expression)} has ${fields.length} fields instead of five.`,
      shape,
    );
  }
  try {
    return parse();
  } catch (error) {
    const message = messageOf(error).replace(/^CronPattern: /, '');
    throw new RuntimeError('invalid', `cron ${JSON.stringify(expression)}: ${message.replace(/\.?$/, '.')}`, shape);
  }
}

/** The zone of this machine. */
export const localTimezone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Throws `invalid` for a name that is no time zone. */
export function requireTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw new RuntimeError(
      'invalid',
      `There is no time zone ${JSON.stringify(timezone)}.`,
      'Give an IANA name, such as Europe/Berlin, America/New_York or UTC.',
    );
  }
}
