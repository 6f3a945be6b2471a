import type { Actor } from '../../../src/core/actor.js';
import type { NewRun } from '../../../src/core/goal-runs/goal-runs.js';
import type { Job, JobRow } from '../../../src/core/jobs/job.js';
import type { JobEnded, Outcome } from '../../../src/core/jobs/outcome.js';
import type { NewTask } from '../../../src/core/tasks/create-tasks.js';
import type { TaskRow } from '../../../src/core/tasks/task.js';
import { completed, type Queue, session, testQueue } from '../jobs/queue.js';

export const other: Actor = { holder: 'session:other', project: '' };

/** A task of a test's goal: its key is its title as well. */
export type Planned = Partial<NewTask> & { key: string };

export interface Runs extends Queue {
  /** A goal with these tasks, which depend on each other by key; resolves to its id. */
  goal(tasks: readonly Planned[], tokenBudget?: number): Promise<number>;
  start(goalId: number, options?: Partial<NewRun>): Promise<Job>;
  /** Claims the next job for a runner; resolves to it. */
  takeNext(): Promise<JobRow>;
  /** Takes the next job and ends it. Resolves to the key of its task. */
  workOne(outcome?: Outcome): Promise<string>;
  /** Takes and completes jobs until there are none; resolves to the keys of their tasks. */
  workAll(): Promise<string[]>;
  task(key: string): Promise<TaskRow>;
  /** The keys of the tasks that a job of the run waits or works for. */
  underWay(runId: string): Promise<string[]>;
  run(runId: string): Promise<Job>;
}

/** Runs of goals on a real database, without processes. */
export async function testRuns(): Promise<Runs> {
  let hook: JobEnded = async () => {};
  const queue = await testQueue({
    capabilities: { types: new Set(['llm']), provides: ['anthropic'] },
    onEnded: (...words) => hook(...words),
  });
  const { runtime, jobs } = queue;
  const { db, goalRuns, goals, tasks } = runtime;
  hook = goalRuns.onEnded;

  const task = async (key: string): Promise<TaskRow> => {
    const row = await db.get<TaskRow>('select * from tasks where key = ?', key);
    if (!row) throw new Error(`There is no task ${key}.`);
    return row;
  };
  const keyOfTask = async (job: JobRow) => {
    const row = await db.get<{ key: string }>('select key from tasks where id = ?', job.task_id);
    return row?.key ?? '';
  };

  const runs: Runs = Object.assign(queue, {
    task,
    run: (id: string) => jobs.get(id),
    async goal(planned: readonly Planned[], tokenBudget?: number) {
      const goal = await goals.create({ name: 'Ship it', description: 'The whole of it.', tokenBudget }, session);
      const all = planned.map((one) => ({ title: one.key, goalId: goal.id, ...one }));
      if (all.length > 0) await tasks.create(all, session);
      return goal.id;
    },
    async start(goalId: number, options: Partial<NewRun> = {}) {
      const usual = { goalId, model: 'sonnet', requires: 'anthropic', concurrency: 2, warnings: [] };
      const { run } = await goalRuns.start({ ...usual, ...options }, session);
      return run;
    },
    takeNext: async () => queue.take(await queue.runner()),
    async workOne(outcome: Outcome = completed) {
      const job = await runs.takeNext();
      await queue.finish(job, outcome);
      return keyOfTask(job);
    },
    async workAll() {
      const done: string[] = [];
      for (;;) {
        const step = await jobs.nextStep(await queue.runner());
        if (step.do !== 'run') return done;
        await queue.finish(step.job, completed);
        done.push(await keyOfTask(step.job));
      }
    },
    async underWay(runId: string) {
      const rows = await db.all<JobRow>(
        "select * from jobs where parent_id = ? and status in ('pending', 'running') order by seq",
        runId,
      );
      return Promise.all(rows.map(keyOfTask));
    },
  });
  return runs;
}
