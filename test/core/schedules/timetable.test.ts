import { describe, expect, it } from 'vitest';
import { Timetable } from '../../../src/core/schedules/timetable.js';

const berlin = 'Europe/Berlin';
const at = (text: string) => Date.parse(text);
const texts = (times: readonly number[]) => times.map((time) => new Date(time).toISOString().slice(0, 16));

describe('in a zone with summer time', () => {
  it('a daily time stays the same on the clock of the zone', async () => {
    const timetable = await Timetable.read('0 9 * * *', berlin);
    expect(texts(timetable.next(at('2026-03-27T12:00:00Z'), 3))).toEqual([
      '2026-03-28T08:00',
      '2026-03-29T07:00',
      '2026-03-30T07:00',
    ]);
  });

  it('a time in the hour that is left out is due once, right after that hour', async () => {
    const timetable = await Timetable.read('30 2 * * *', berlin);
    expect(texts(timetable.next(at('2026-03-28T12:00:00Z'), 2))).toEqual(['2026-03-29T01:00', '2026-03-30T00:30']);
  });

  it('a time in the hour that comes twice is due once, and every half hour is due in both', async () => {
    const daily = await Timetable.read('30 2 * * *', berlin);
    expect(texts(daily.next(at('2026-10-24T12:00:00Z'), 2))).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
    const often = await Timetable.read('*/30 * * * *', berlin);
    expect(texts(often.next(at('2026-10-24T23:45:00Z'), 5))).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
      '2026-10-25T02:00',
    ]);
  });

  it.each(['2026-03-29', '2026-10-25'])('going back over %s finds the same times as going forward', async (day) => {
    for (const cron of ['0 9 * * *', '15 * * * *', '30 2 * * *']) {
      const timetable = await Timetable.read(cron, berlin);
      const [since, until] = [at(`${day}T00:00:00Z`) - 43_200_000, at(`${day}T12:00:00Z`)];
      const forward = timetable.next(since - 1, 60).filter((time) => time <= until);
      expect(texts(timetable.between(since, until, 60)), cron).toEqual(texts(forward));
    }
  });
});

describe('times that are over', () => {
  it('include both ends, and are the last ones where there are more than asked for', async () => {
    const timetable = await Timetable.read('0 * * * *', 'UTC');
    const [since, until] = [at('2026-11-20T01:00:00Z'), at('2026-11-20T05:00:00Z')];
    expect(texts(timetable.between(since, until, 10))).toHaveLength(5);
    expect(texts(timetable.between(since, until, 2))).toEqual(['2026-11-20T04:00', '2026-11-20T05:00']);
    expect(texts(timetable.between(since, until + 500, 1))).toEqual(['2026-11-20T05:00']);
    expect(texts(timetable.between(since, until - 500, 1))).toEqual(['2026-11-20T04:00']);
  });
});

describe('what is refused', () => {
  it.each(['', 'every day', '* * * *', '0 0 * * * *', '61 * * * *', '0 25 * * *'])('%j as cron', async (cron) => {
    const reading = Timetable.read(cron, 'UTC');
    await expect(reading).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(`"${cron}"`) });
  });

  it('a day that never comes, and a zone that is none', async () => {
    await expect(Timetable.read('0 0 31 2 *', 'UTC')).rejects.toMatchObject({
      message: expect.stringMatching(/never/),
    });
    await expect(Timetable.read('0 0 * * *', 'Mars/Olympus')).rejects.toMatchObject({
      message: 'There is no time zone "Mars/Olympus".',
    });
  });
});
