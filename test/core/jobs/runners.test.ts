import { describe, expect, it } from 'vitest';
import { createJobStore } from '../../../src/core/jobs/job-store.js';
import { oneByOne, singleLanes } from '../../support/one-by-one.js';
import { completed, failing, session, testQueue } from './queue.js';

const submission = { type: 'generic', payload: {} };

describe('a permit', () => {
  it('comes with a job that no runner is on its way to, up to the limit over all processes', async () => {
    const queue = await testQueue({ maxRunning: 3 });
    const permits = [];
    for (let count = 0; count < 5; count++) permits.push((await queue.jobs.submit(submission, session)).runnerId);
    expect(permits.map((permit) => permit !== undefined)).toEqual([true, true, true, false, false]);
  });

  it('is never given twice for the last place, even to callers at the same instant', async () => {
    const queue = await testQueue({ maxRunning: 2 });
    const submissions = await Promise.all(Array.from({ length: 20 }, () => queue.jobs.submit(submission, session)));
    expect(submissions.filter(({ runnerId }) => runnerId !== undefined)).toHaveLength(2);
  });

  it('is not given while a free runner will take the job', async () => {
    const queue = await testQueue();
    const { runnerId } = await queue.jobs.submit(submission, session);
    expect(runnerId).toBeDefined();
    expect(await queue.jobs.permitRunner(session)).toBeUndefined();
  });

  it('is given although a free runner waits, if that one is not able to run the job', async () => {
    const queue = await testQueue();
    const elsewhere = oneByOne(
      createJobStore({
        db: queue.runtime.db,
        clock: queue.clock,
        processes: {
          self: () => ({ hostId: '', bootId: '', pidNamespace: '', pid: 1, startTime: '' }),
          liveness: () => 'alive',
        },
        lanes: singleLanes(4),
        capabilities: { types: new Set(['generic']), provides: ['google'] },
        effects: new Map(),
      }),
    );
    // One session has a key of Google and a job for later, the other a key of Anthropic and a job for now.
    const later = { ...submission, requires: 'google', runAt: queue.clock.now() + 60_000 };
    const { runnerId: waiting = '' } = await elsewhere.submit(later, session);
    await elsewhere.registerRunner(waiting);
    expect((await elsewhere.nextStep(waiting)).do).toBe('wait');
    const { runnerId } = await queue.jobs.submit({ ...submission, requires: 'anthropic' }, session);
    expect(runnerId).toBeDefined();
  });

  it('is given for a job that is due soon when no one waits for it, and not for one that is due much later', async () => {
    const queue = await testQueue();
    const soon = await queue.jobs.submit({ ...submission, runAt: queue.clock.now() + 60_000 }, session);
    expect(soon.runnerId).toBeDefined();
    const other = await testQueue();
    const late = await other.jobs.submit({ ...submission, runAt: other.clock.now() + 2 * 3_600_000 }, session);
    expect(late.runnerId).toBeUndefined();
    other.clock.pass(3_600_001);
    expect(await other.jobs.permitRunner(session)).toBeDefined();
  });

  it('is free again when its runner leaves, and when its runner could not be started', async () => {
    const queue = await testQueue({ maxRunning: 1 });
    const { runnerId = '' } = await queue.jobs.submit(submission, session);
    expect(await queue.jobs.permitRunner(session)).toBeUndefined();
    await queue.jobs.markLost(runnerId, 'it could not be started');
    const second = (await queue.jobs.permitRunner(session)) ?? '';
    await queue.jobs.registerRunner(second);
    const job = await queue.take(second);
    await queue.submit();
    await queue.finish(job, completed);
    await queue.jobs.leave(second);
    expect(await queue.jobs.permitRunner(session)).toBeDefined();
  });

  it('is not held by a runner that only waits, and is needed again to run what it waited for', async () => {
    const queue = await testQueue({ maxRunning: 1 });
    await queue.submit({ runAt: queue.clock.now() + 1_000 });
    const waiting = await queue.runner();
    expect((await queue.jobs.nextStep(waiting)).do).toBe('wait');
    const urgent = await queue.submit({ priority: 10 });
    const busy = await queue.runner();
    expect((await queue.take(busy)).id).toBe(urgent.id);
    queue.clock.pass(2_000);
    expect((await queue.jobs.nextStep(waiting)).do).toBe('wait');
    await queue.finish(await queue.row(urgent.id), completed);
    await queue.jobs.leave(busy);
    expect((await queue.jobs.nextStep(waiting)).do).toBe('run');
  });
});

describe('a runner', () => {
  it('leaves when its permit is gone before it came up', async () => {
    const queue = await testQueue();
    const { runnerId = '' } = await queue.jobs.submit(submission, session);
    await queue.jobs.markLost(runnerId, 'it never started');
    expect(await queue.jobs.registerRunner(runnerId)).toBeUndefined();
  });

  it('sees a job that is submitted as it looks, or its submitter sees that it has left', async () => {
    for (let round = 0; round < 20; round++) {
      const queue = await testQueue();
      const runner = await queue.runner();
      const asks = [() => queue.jobs.nextStep(runner), () => queue.jobs.submit(submission, session)];
      const [step, submitted] = (await Promise.all(
        round % 2 === 0
          ? asks.map((ask) => ask())
          : asks
              .reverse()
              .map((ask) => ask())
              .reverse(),
      )) as [Awaited<ReturnType<typeof queue.jobs.nextStep>>, Awaited<ReturnType<typeof queue.jobs.submit>>];
      const isTaken = step.do === 'run' || submitted.runnerId !== undefined;
      expect(isTaken).toBe(true);
    }
  });

  it('stays on the books while a job is still written down as its own', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await queue.jobs.leave(job.runner_id ?? '');
    expect((await queue.runnerRow(job.runner_id ?? '')).state).toBe('running');
  });

  it('waits for the next try of a job, unless another like it has room for that', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const other = await queue.runner();
    await queue.finish(job, failing(true, 30_000));
    expect(await queue.jobs.nextStep(job.runner_id ?? '')).toEqual({ do: 'leave' });
    const step = await queue.jobs.nextStep(other);
    expect(step).toEqual({ do: 'wait', until: queue.clock.now() + 30_000 });
    expect(await queue.jobs.permitRunner(session)).toBeUndefined();
  });

  it('that has room is told of work only while its lane has room too: for nothing it needs no write lock', async () => {
    const queue = await testQueue({ maxRunning: 2 });
    const [first] = [await queue.running(), await queue.running(), await queue.submit()];
    expect(await queue.jobs.hasReady(first.lane)).toBe(false);
    await queue.finish(first, completed);
    expect(await queue.jobs.hasReady(first.lane)).toBe(true);
  });

  it('learns by its heartbeat that its job is to be cancelled, or is no longer its own', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    const key = { jobId: job.id, token: job.attempt_token ?? '' };
    const runner = job.runner_id ?? '';
    expect(await queue.jobs.state(runner, key)).toEqual({ isCancelRequested: false });
    await queue.jobs.cancel(job.id, session);
    expect(await queue.jobs.state(runner, key)).toEqual({ isCancelRequested: true });
    expect(await queue.jobs.state(runner, { ...key, token: 'another' })).toBeUndefined();
  });
});

it('runners of many jobs start one after the other: the first one finds out whether more are needed', async () => {
  const lanes = { call: { atOnce: 8, perRunner: 2 }, process: { atOnce: 2, perRunner: 1 } };
  const queue = await testQueue({ lanes });
  const { runnerIds } = await queue.jobs.submitAll(
    Array.from({ length: 6 }, () => ({ type: 'generic', payload: {} })),
    session,
  );
  expect(runnerIds).toHaveLength(1);
  expect(await queue.jobs.permitRunner(session)).toBeUndefined();
  const [first = ''] = runnerIds;
  await queue.jobs.registerRunner(first);
  expect((await queue.jobs.turn(first, [], 2)).next).toMatchObject({ do: 'run', jobs: [{}, {}] });
  expect(await queue.jobs.permitRunner(session)).toBeDefined();
  expect(await queue.jobs.permitRunner(session)).toBeUndefined();
  // One that does not come up keeps nobody waiting for long.
  queue.clock.pass(1_001);
  expect(await queue.jobs.permitRunner(session)).toBeDefined();
});
