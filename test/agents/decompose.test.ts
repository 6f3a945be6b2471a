import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/runtime.js';
import { background, session } from '../runner/fixtures/background.js';
import { gatedProvider } from '../runner/fixtures/gated-provider.js';
import { holdLock } from '../runner/fixtures/hold-lock.js';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';

const plan = JSON.stringify({
  tasks: [
    { title: 'Draw the plan', priority: 9 },
    { title: 'Lay the floor', depends_on: ['Draw the plan'] },
    { title: 'Raise the walls', depends_on: ['Lay the floor'], acceptance: 'They stand.' },
  ],
});

const payload = (goal_id: number, more: { model?: string; max_tasks?: number } = {}) => ({
  goal_id,
  goal: { name: 'Build', description: 'A house.' },
  strategy: 'sequential',
  max_tasks: 8,
  model: 'sonnet',
  ...more,
});

async function newGoal(runtime: Runtime): Promise<number> {
  const goal = await runtime.goals.create({ name: 'Build', description: 'A house.' }, session);
  return goal.id;
}

const tasksOf = (runtime: Runtime, goalId: number) => runtime.tasks.list({ goalId, limit: 100 });

describe('a job that plans a goal', () => {
  it('creates the tasks of the plan in its own name and order, and its result says which', async () => {
    const runtime = await background({ model: { reply: () => plan } });
    const goal = await newGoal(runtime);
    const job = await runtime.ended(await runtime.give('decompose', payload(goal), { goalId: goal }));
    expect(job.status).toBe('completed');
    const tasks = (await tasksOf(runtime, goal)).sort((a, b) => a.id - b.id);
    expect(tasks.map(({ title, dependencies }) => [title, dependencies])).toEqual([
      ['Draw the plan', []],
      ['Lay the floor', [tasks[0]?.id]],
      ['Raise the walls', [tasks[1]?.id]],
    ]);
    expect(job.result).toMatchObject({ goal_id: goal, tasks_created: tasks.map(({ id }) => id), count: 3 });
  });

  it('creates them once, although its runner was killed after the plan was made', async () => {
    const home = tempDir();
    const provider = gatedProvider(home, plan);
    const runtime = await background({ home, config: { providers: { custom: { gated: provider.path } } } });
    const goal = await newGoal(runtime);
    const id = await runtime.give('decompose', payload(goal, { model: 'custom:gated' }), { goalId: goal });
    const { pid } = await runtime.runnerOf(id);
    await eventually('the model was asked', () => provider.asked() === 1);
    const release = await holdLock(runtime);
    provider.open();
    await eventually('the plan is there', () => provider.answered() === 1);
    process.kill(pid, 'SIGKILL');
    release();
    await eventually('the job has ended', async () => {
      await runtime.jobs.sweep(session);
      await runtime.db.run("update jobs set run_at = 0, run_tick = 0 where status = 'pending'");
      return (await runtime.jobs.status(id)) === 'completed';
    });
    expect(provider.asked()).toBe(2);
    expect(await tasksOf(runtime, goal)).toHaveLength(3);
  });

  it('gives a model that answered with prose a second try, with the reason', async () => {
    const answers = ['First, draw a plan. Then build.', `Here it is:\n\`\`\`json\n${plan}\n\`\`\``];
    const runtime = await background({ model: { reply: () => answers.shift() ?? '' } });
    const goal = await newGoal(runtime);
    const job = await runtime.ended(await runtime.give('decompose', payload(goal)));
    expect(job.status).toBe('completed');
    expect(runtime.server.requests[1]?.prompt).toContain('Your last answer could not be used. The plan is not JSON');
    expect(await runtime.jobs.logs(job.id, 10)).toMatchObject([
      { level: 'warn', message: 'the plan could not be used' },
    ]);
    // Both calls are counted.
    expect(job.inputTokens).toBeGreaterThan(2 * 100);
  });

  it('fails after the second bad answer, saying why, and creates nothing', async () => {
    const runtime = await background({ model: { reply: () => 'No.' } });
    const goal = await newGoal(runtime);
    const job = await runtime.ended(await runtime.give('decompose', payload(goal)));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'invalid' });
    expect(job.errorMessage).toContain('The plan is not JSON: "No."');
    expect(runtime.server.requests).toHaveLength(2);
    expect(await tasksOf(runtime, goal)).toEqual([]);
  });

  it('refuses a plan with more tasks than max_tasks', async () => {
    const runtime = await background({ model: { reply: () => plan } });
    const goal = await newGoal(runtime);
    const job = await runtime.ended(await runtime.give('decompose', payload(goal, { max_tasks: 2 })));
    expect(job.errorMessage).toContain('The plan has 3 tasks; at most 2 were asked for.');
  });

  it('fails, and stores the plan, when its goal was cancelled meanwhile', async () => {
    const home = tempDir();
    const provider = gatedProvider(home, plan);
    const runtime = await background({ home, config: { providers: { custom: { gated: provider.path } } } });
    const goal = await newGoal(runtime);
    const id = await runtime.give('decompose', payload(goal, { model: 'custom:gated' }));
    await eventually('the model was asked', () => provider.asked() === 1);
    await runtime.goals.edit(goal, { status: 'cancelled' }, session);
    provider.open();
    const job = await runtime.ended(id);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'conflict' });
    expect(job.errorMessage).toContain('cancelled');
    expect(await runtime.jobs.output(id)).toBe(plan);
    expect(await tasksOf(runtime, goal)).toEqual([]);
  });
});
