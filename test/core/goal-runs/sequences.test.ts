import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import type { JobRow } from '../../../src/core/jobs/job.js';
import { lanes } from '../../../src/core/jobs/lane.js';
import type { Outcome } from '../../../src/core/jobs/outcome.js';
import { failurePolicies, type TaskRow } from '../../../src/core/tasks/task.js';
import { completed, failing, session } from '../jobs/queue.js';
import { other, type Runs, testRuns } from './runs.js';

const outcomes: Outcome[] = [
  completed,
  completed,
  completed,
  { kind: 'completed', result: {}, output: 'CANNOT: No.' },
  failing(true),
  { kind: 'failed', code: 'refused', message: 'No.', isTransient: false },
  { kind: 'failed', code: 'budget_exhausted', message: 'Spent.', isTransient: false },
  { kind: 'postponed', message: 'Later.', retryAfterMs: 1_000 },
  { kind: 'lost', message: 'Gone.' },
  { kind: 'cancelled' },
];

/** What sessions and runners do in any order; `pick` chooses among what there is. */
const actions = {
  take: async (runs: Runs, pick: number) => {
    await runs.jobs.nextStep(await runs.runner(choose(lanes, pick)));
  },
  finish: async (runs: Runs, pick: number) => {
    const job = choose(await jobsIn(runs, 'running'), pick);
    if (job) await runs.finish(job, choose(outcomes, Math.floor(pick / 7)) ?? completed);
  },
  claimByHand: async ({ runtime }: Runs) => {
    await runtime.tasks.claimNext({ goalId: 1 }, {}, other);
  },
  endByHand: async (runs: Runs, pick: number) => {
    const task = choose(await heldBy(runs, 'session:other'), pick);
    const status = choose(['completed', 'failed', 'pending'] as const, Math.floor(pick / 5)) ?? 'completed';
    if (task) await runs.runtime.tasks.updateStatus({ task: task.id, status }, other);
  },
  addTask: async (runs: Runs, pick: number) => {
    const known = await allTasks(runs);
    const dependencies = pick % 3 === 0 ? [] : known.slice(-(pick % 3)).map(({ id }) => id);
    const onDependencyFailure = choose(failurePolicies, Math.floor(pick / 3));
    const notBefore = pick % 11 === 0 ? runs.clock.now() + 30_000 : undefined;
    const task = { title: 'More', goalId: 1, dependencies, onDependencyFailure, notBefore };
    await runs.runtime.tasks.create([task], session);
  },
  cancelTask: async (runs: Runs, pick: number) => {
    const task = choose(await allTasks(runs), pick);
    if (task) await runs.runtime.tasks.updateStatus({ task: task.id, status: 'cancelled' }, session);
  },
  reopenTask: async (runs: Runs, pick: number) => {
    const ended = (await allTasks(runs)).filter(({ status }) => status === 'failed' || status === 'cancelled');
    const task = choose(ended, pick);
    if (task) await runs.runtime.tasks.updateStatus({ task: task.id, status: 'pending' }, session);
  },
  cancelJob: async (runs: Runs, pick: number) => {
    const job = choose([...(await jobsIn(runs, 'pending')), ...(await jobsIn(runs, 'running'))], pick);
    if (job) await runs.jobs.cancel(job.id, session);
  },
  retryJob: async (runs: Runs, pick: number) => {
    const job = choose(await jobsIn(runs, 'failed'), pick);
    if (job) await runs.jobs.retry(job.id, {}, session);
  },
  cancelRun: async (runs: Runs) => {
    const [run] = await liveRuns(runs);
    if (run) await runs.jobs.cancel(run.id, session);
  },
  start: async (runs: Runs, pick: number) => {
    await runs.start(1, { concurrency: 1 + (pick % 3) });
  },
  wait: async (runs: Runs, pick: number) => {
    runs.clock.pass(pick % 2 === 0 ? 5_000 : 300_000);
    await runs.runtime.goalRuns.sweep();
    await runs.rescue();
  },
};

const step = fc.record({
  action: fc.constantFrom(...(Object.keys(actions) as (keyof typeof actions)[]), 'take', 'finish', 'take', 'finish'),
  pick: fc.nat(1_000),
});

it('in whatever order things happen, a run is at work, waits for a reason, or has ended', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const runs = await testRuns();
      await runs.goal([
        { key: 'a' },
        { key: 'b', dependencies: ['a'] },
        { key: 'c', dependencies: ['a'] },
        { key: 'd' },
      ]);
      await runs.start(1);
      for (const { action, pick } of steps) {
        await legally(() => actions[action](runs, pick));
        await expectSound(runs);
      }
      await comeToRest(runs);
      expect(await liveRuns(runs)).toEqual([]);
      runs.runtime.close();
    }),
    { numRuns: 60 },
  );
});

/** An operation may be refused, but any other error is a defect. */
async function legally(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code === 'internal') throw error;
  }
}

async function expectSound(runs: Runs): Promise<void> {
  const { db } = runs.runtime;
  const live = await liveRuns(runs);
  expect(live.length).toBeLessThanOrEqual(1);
  // A task that a job holds has a job that will end, and that one alone.
  for (const task of (await allTasks(runs)).filter(({ status }) => status === 'in_progress')) {
    if (!task.claimed_by?.startsWith('job:')) continue;
    const open = await db.all<JobRow>(
      "select * from jobs where task_id = ? and task_claim_token = ? and status in ('pending', 'running')",
      task.id,
      task.claim_token,
    );
    expect(open.map(({ id }) => `job:${id}`)).toEqual([task.claimed_by]);
  }
  // The number of open jobs is bounded, except for jobs that were retried by hand.
  for (const run of live) expect((await runs.underWay(run.id)).length).toBeLessThan(20);
  const untold = await db.all("select 1 from jobs where type = 'run_goal' and status <> 'running' and result is null");
  expect(untold).toEqual([]);
}

/** Everybody ends what they hold, and time passes. */
async function comeToRest(runs: Runs): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if ((await liveRuns(runs)).length === 0) return;
    for (const job of await jobsIn(runs, 'running')) await runs.finish(job, completed);
    for (const task of await heldBy(runs, 'session:other')) {
      await legally(async () => {
        await runs.runtime.tasks.updateStatus({ task: task.id, status: 'completed' }, other);
      });
    }
    runs.clock.pass(300_000);
    await runs.runtime.goalRuns.sweep();
    await runs.rescue();
    // A job that has lost a runner is in the lane of those that are alone.
    for (const lane of lanes) await runs.jobs.nextStep(await runs.runner(lane));
  }
}

const choose = <Item>(items: readonly Item[], pick: number): Item | undefined => items[pick % items.length];

const liveRuns = (runs: Runs) =>
  runs.runtime.db.all<JobRow>("select * from jobs where type = 'run_goal' and status = 'running'");

const jobsIn = (runs: Runs, status: string) =>
  runs.runtime.db.all<JobRow>("select * from jobs where type = 'llm' and status = ? order by seq", status);

const allTasks = (runs: Runs) => runs.runtime.db.all<TaskRow>('select * from tasks order by id');

const heldBy = (runs: Runs, holder: string) =>
  runs.runtime.db.all<TaskRow>(
    "select * from tasks where claimed_by = ? and status = 'in_progress' order by id",
    holder,
  );
