import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import type { Schedule } from '../../src/core/schedules/schedule.js';
import { createSchedules } from '../../src/core/schedules/schedules.js';
import { systemProcesses } from '../../src/runner/identity.js';
import { createScheduler, type ScheduleRequest } from '../../src/services/schedules.js';
import { type MovingClock, movingClock } from '../support/moving-clock.js';
import { testRuntime } from '../support/test-runtime.js';

const actor = { holder: 'session:me', project: '/p' };
const hour = 3_600_000;
const noon = Date.UTC(2026, 10, 20, 12);

/** A runtime whose schedules are fired when the test says so, and whose jobs nobody runs. */
async function testSchedules(options: { clock?: MovingClock; home?: string; env?: Record<string, string> } = {}) {
  const { clock = movingClock(noon - hour / 2), home } = options;
  const env = { ANTHROPIC_API_KEY: 'key', ...options.env };
  const runtime = await testRuntime({ clock, env, ...(home === undefined ? {} : { home }) });
  const processes = systemProcesses(clock.bootId);
  const needs = { ...runtime, processes, log: silentLog, provides: ['anthropic'] };
  const scheduler = createScheduler({ ...needs, jobs: { get: runtime.jobs.get, fill: async () => {} } });
  const make = (request: Partial<ScheduleRequest> = {}) =>
    scheduler.save(
      {
        name: 'nightly',
        kind: 'job',
        request: { type: 'generic', payload: {} },
        timezone: 'UTC',
        ...(request.runAt === undefined ? { cron: '0 * * * *' } : {}),
        ...request,
      },
      actor,
    );
  return {
    ...runtime,
    clock,
    scheduler,
    make,
    read: (name = 'nightly'): Promise<Schedule> => runtime.schedules.get(name, '/p'),
    count: async () => (await runtime.db.all("select 1 from jobs where type <> 'run_goal'")).length,
    endJobs: () =>
      runtime.db.run(
        "update jobs set status = 'completed', completed_at = ?, updated_at = ?",
        clock.now(),
        clock.now(),
      ),
    events: async () =>
      (await runtime.db.all<{ type: string }>("select type from events where subject = 'schedule' order by id")).map(
        ({ type }) => type,
      ),
  };
}

describe('a schedule that is due', () => {
  it('submits its job once for each time, and says what came of it', async () => {
    const test = await testSchedules();
    await test.make();
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(0);
    test.clock.pass(hour / 2);
    await test.scheduler.fireDue();
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(1);
    const { last, nextAt, fired } = await test.read();
    expect(last).toMatchObject({ dueAt: noon, outcome: 'started', runStatus: 'pending' });
    expect({ nextAt, fired }).toEqual({ nextAt: noon + hour, fired: 1 });
    const job = await test.jobs.get(last?.run ?? '');
    expect(job).toMatchObject({ type: 'generic', metadata: { schedule: 'nightly' }, project: '/p' });
    expect(await test.events()).toEqual(['created', 'fired']);
  });

  it('fires once, however many processes look at the same time', async () => {
    const test = await testSchedules();
    await test.make();
    const other = await testSchedules({ clock: test.clock, home: test.home });
    test.clock.pass(hour);
    await Promise.all([test, other, test, other].map(({ scheduler }) => scheduler.fireDue()));
    expect(await test.count()).toBe(1);
    expect((await test.read()).fired).toBe(1);
  });

  it('stays due, and has submitted nothing, where its process ended in the middle', async () => {
    const test = await testSchedules();
    await test.make();
    test.clock.pass(hour);
    const [due] = await test.schedules.due([], 1);
    if (!due) throw new Error('nothing is due');
    const plan = await test.schedules.plan(due);
    const cut = test.schedules.fire(due, plan, async () => {
      throw new Error('the power went');
    });
    await expect(cut).rejects.toThrow('the power went');
    expect(await test.count()).toBe(0);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(1);
  });

  it('does nothing while it is paused, and goes on with the next time after', async () => {
    const test = await testSchedules();
    await test.make();
    await test.scheduler.act('nightly', 'pause', actor);
    test.clock.pass(5 * hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(0);
    const { schedule } = await test.scheduler.act('nightly', 'resume', actor);
    expect(schedule).toMatchObject({ status: 'active', nextAt: noon + 5 * hour });
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(0);
    expect(await test.events()).toEqual(['created', 'paused', 'resumed']);
  });

  it('is not fired as it was before a change that came in between', async () => {
    const test = await testSchedules();
    await test.make();
    test.clock.pass(hour);
    const [due] = await test.schedules.due([], 1);
    if (!due) throw new Error('nothing is due');
    await test.make({ request: { type: 'generic', payload: { note: 'new' } } });
    expect(await test.schedules.fire(due, await test.schedules.plan(due), async () => 'run')).toBeUndefined();
    expect((await test.read()).fired).toBe(0);
  });
});

describe('times that nobody was there for', () => {
  it.each([
    { missed: 'skip' as const, jobs: 0, outcome: 'skipped' },
    { missed: 'once' as const, jobs: 1, outcome: 'started' },
    { missed: 'all' as const, jobs: 5, outcome: 'started' },
  ])('are made up for as $missed says', async ({ missed, jobs, outcome }) => {
    const test = await testSchedules();
    await test.make({ missed });
    test.clock.pass(5 * hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(jobs);
    const { last, nextAt } = await test.read();
    expect(last).toMatchObject({ outcome, dueAt: noon + 4 * hour });
    expect(nextAt).toBe(noon + 5 * hour);
  });

  it('are ten at the most, however long it was', async () => {
    const test = await testSchedules();
    await test.make({ missed: 'all', cron: '* * * * *' });
    test.clock.pass(365 * 24 * hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(10);
  });
});

describe('a clock that is set', () => {
  it('forward by a year fires once, and back again goes on with the times of now', async () => {
    const test = await testSchedules();
    await test.make();
    test.clock.stepWallClock(365 * 24 * hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(1);
    await test.endJobs();
    test.clock.stepWallClock(-365 * 24 * hour);
    await test.scheduler.fireDue();
    expect((await test.read()).nextAt).toBe(noon);
    test.clock.pass(hour / 2);
    await test.scheduler.fireDue();
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(2);
  });

  it('back by half an hour does not fire the same time again', async () => {
    const test = await testSchedules();
    await test.make();
    test.clock.pass(hour / 2);
    await test.scheduler.fireDue();
    await test.endJobs();
    test.clock.stepWallClock(-hour / 2);
    await test.scheduler.fireDue();
    test.clock.pass(hour / 2);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(1);
    test.clock.pass(hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(2);
  });

  it.each(['once', 'all'] as const)(
    'back by hours and right again repeats no time of one that makes up for %s',
    async (missed) => {
      const test = await testSchedules();
      await test.make({ missed });
      test.clock.pass(2.5 * hour);
      await test.scheduler.fireDue();
      const count = await test.count();
      await test.endJobs();
      test.clock.stepWallClock(-5 * hour);
      await test.scheduler.fireDue();
      test.clock.stepWallClock(5 * hour);
      await test.scheduler.fireDue();
      const times = await test.db.all("select data from events where type = 'fired'");
      expect(new Set(times.map((time) => JSON.stringify(time)))).toHaveLength(times.length);
      const before = missed === 'all' ? 2 : 0;
      expect(await test.count()).toBe(count + before);
      test.clock.pass(hour);
      await test.scheduler.fireDue();
      expect(await test.count()).toBe(count + before + 1);
    },
  );
});

describe('when the last one is still at work', () => {
  it('a time is skipped, and says why; with overlap it fires', async () => {
    const test = await testSchedules();
    await test.make();
    await test.make({ name: 'both', overlap: 'allow' });
    for (let count = 0; count < 2; count++) {
      test.clock.pass(hour);
      await test.scheduler.fireDue();
    }
    expect(await test.count()).toBe(3);
    const { last } = await test.read();
    expect(last).toMatchObject({ outcome: 'skipped', runStatus: 'pending' });
    expect(last?.error).toBe(`Job ${last?.run} of the time before is still pending.`);
    await test.endJobs();
    test.clock.pass(hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(5);
  });
});

describe('what cannot be submitted when its time comes', () => {
  it('says so, is due again at its next time, and holds up no other', async () => {
    const test = await testSchedules();
    const task = { title: 'Look at it' };
    await test.tasks.saveTemplate({ name: 'review', description: '', tasks: [task] as never }, actor);
    const request = { name: 'Review', template: 'review', run: false };
    await test.make({ name: 'a review', kind: 'goal', request });
    await test.make();
    await test.db.run('delete from task_templates');
    test.clock.pass(hour);
    await test.scheduler.fireDue();
    expect(await test.count()).toBe(1);
    expect(await test.goals.list({ limit: 10 })).toEqual([]);
    const { last, status, nextAt } = await test.read('a review');
    expect(last).toMatchObject({ outcome: 'failed', errorCode: 'not_found', run: null });
    expect(last?.error).toMatch(/^No task template is called review\./);
    expect({ status, nextAt }).toEqual({ status: 'active', nextAt: noon + hour });
    expect(await test.events()).toContain('failed');
  });

  it('is kept as paused where it was to fire once', async () => {
    const test = await testSchedules();
    await test.tasks.saveTemplate({ name: 'review', description: '', tasks: [{ title: 'T' }] as never }, actor);
    await test.make({ kind: 'goal', request: { name: 'R', template: 'review', run: false }, runAt: noon });
    await test.db.run('delete from task_templates');
    test.clock.pass(hour);
    await test.scheduler.fireDue();
    expect(await test.read()).toMatchObject({ status: 'paused', last: { outcome: 'failed' } });
  });

  it('waits for a process that has its provider', async () => {
    const test = await testSchedules();
    await test.make({ kind: 'prompt', request: { task_description: 'Hello', model: 'claude-sonnet-5-5' } });
    test.clock.pass(hour);
    expect(await test.schedules.due([], 10)).toEqual([]);
    expect(await test.schedules.due(['anthropic'], 10)).toHaveLength(1);
  });
});

describe('what is submitted', () => {
  it('of a prompt is its job, with the day in its text', async () => {
    const test = await testSchedules();
    const request = { task_description: 'Report of {{date}}', model: 'claude-sonnet-5-5' };
    await test.make({ kind: 'prompt', request, cron: '30 23 * * *', timezone: 'Asia/Tokyo' });
    test.clock.pass(24 * hour);
    await test.scheduler.fireDue();
    const { last } = await test.read();
    const job = await test.jobs.get(last?.run ?? '');
    expect(job).toMatchObject({ type: 'llm', payload: { prompt: 'Report of 2026-11-20' } });
  });

  it('of a goal is the goal with the tasks of its template, and the run that does them', async () => {
    const test = await testSchedules();
    const tasks = [{ title: 'Read {{area}}' }, { title: 'Write' }] as never;
    await test.tasks.saveTemplate({ name: 'review', description: '', tasks }, actor);
    const request = { name: 'Review {{date}}', template: 'review', parameters: { area: 'docs' } };
    await test.make({ kind: 'goal', request: { ...request, model: 'claude-sonnet-5-5' } });
    test.clock.pass(hour);
    await test.scheduler.fireDue();
    const [goal] = await test.goals.list({ limit: 10 });
    expect(goal).toMatchObject({ name: 'Review 2026-11-20', project: '/p', progress: { total: 2 } });
    expect((await test.read()).last).toMatchObject({ run: String(goal?.id), runStatus: 'active' });
    expect((await test.tasks.list({ limit: 5 })).map(({ title }) => title)).toContain('Read docs');
    expect(await test.db.all("select 1 from jobs where type = 'run_goal'")).toHaveLength(1);
  });

  it('of a relay is the relay, with the job of its first step', async () => {
    const test = await testSchedules();
    const request = {
      name: 'Weekly',
      goal: 'Find out',
      token_budget: 10_000,
      preset: 'quick',
      model: 'claude-sonnet-5-5',
    };
    await test.make({ kind: 'relay', request });
    test.clock.pass(hour);
    await test.scheduler.fireDue();
    const [relay] = await test.relays.list({ limit: 10 });
    expect(relay).toMatchObject({ name: 'Weekly', status: 'in_progress' });
    expect((await test.read()).last).toMatchObject({ run: relay?.id, runStatus: 'in_progress' });
  });

  it('by hand leaves its times as they are', async () => {
    const test = await testSchedules();
    await test.make();
    const { run, schedule } = await test.scheduler.act('nightly', 'run', actor);
    expect(schedule).toMatchObject({ nextAt: noon, fired: 1, last: { run, outcome: 'started' } });
  });
});

describe('a request that no firing could do', () => {
  it.each([
    [{ request: { type: 'generic', payload: {}, idempotency_key: 'k' } }, /idempotency_key has no place/],
    [{ request: { type: 'nothing', payload: {} } }, /nothing/],
    [{ cron: '0 9 * *' }, /has 4 fields instead of five/],
    [{ timezone: 'Mars' }, /no time zone "Mars"/],
    [{ runAt: noon - 2 * hour }, /is over/],
    [{ cron: '0 9 * * *', runAt: noon }, /both say when/],
    [
      { kind: 'prompt' as const, request: { task_description: 'x', model: 'gemini-3.8-flash' } },
      /GOOGLE_API_KEY|GEMINI/,
    ],
  ])('is refused when it is made: %j', async (request, message) => {
    const test = await testSchedules();
    await expect(test.make(request)).rejects.toThrow(message);
    expect(await test.schedules.list({ limit: 10 })).toEqual([]);
  });

  it('and one of an unknown name says which there are', async () => {
    const test = await testSchedules();
    await test.make();
    await expect(test.scheduler.act('nightl', 'pause', actor)).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('nightly'),
    });
  });
});

it('a schedule of a process that only fires is found by the next due time it can fire', async () => {
  const test = await testSchedules();
  await test.make();
  expect(await createSchedules(test).nextDueAt([])).toBe(noon);
});
