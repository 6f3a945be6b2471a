import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/runtime.js';
import { type DecomposeRequest, decomposeGoal } from '../../src/services/decompose-goal.js';
import { type Background, background, session } from '../runner/fixtures/background.js';
import { gatedProvider } from '../runner/fixtures/gated-provider.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const plan = JSON.stringify([{ title: 'One' }, { title: 'Two' }]);
const keyless = { ANTHROPIC_API_KEY: '' };

interface More extends Partial<DecomposeRequest> {
  sample?: (prompt: string) => Promise<string>;
  signal?: AbortSignal;
}

async function decompose(runtime: Runtime, { sample, signal, ...wish }: More = {}) {
  const goal = await runtime.goals.create({ name: 'Build', description: 'A house.' }, session);
  return decomposeGoal(
    { goal_id: goal.id, strategy: 'sequential', planner: 'auto', max_tasks: 8, ...wish },
    { runtime, actor: session, signal: signal ?? new AbortController().signal, progress: () => {}, sample },
  );
}

describe('a goal is planned by whoever there is', () => {
  it('the caller, when the tasks are given', async () => {
    const runtime = await testRuntime();
    const decomposed = await decompose(runtime, { tasks: [{ title: 'One' }, { title: 'Two' }] });
    expect(decomposed).toMatchObject({ planner: 'caller', count: 2 });
    // Without a word on dependencies it is a chain, and the answer shows it.
    const [one = 0, two] = decomposed.tasks_created ?? [];
    expect(decomposed.dependencies).toEqual({ [String(two)]: [one] });
  });

  it("the client's own model, when the client lends it", async () => {
    const runtime = await testRuntime();
    const decomposed = await decompose(runtime, { sample: async () => plan });
    expect(decomposed).toMatchObject({ planner: 'sampling', count: 2 });
  });

  it('a configured model, as a job that is waited for', async () => {
    const runtime = await background({ model: { reply: () => plan } });
    const decomposed = await decompose(runtime);
    expect(decomposed).toMatchObject({
      planner: 'model',
      count: 2,
      tasks_created: [expect.any(Number), expect.any(Number)],
    });
  });

  it('a configured model, when the one of the client gives no plan, and it is said', async () => {
    const runtime = await background({ model: { reply: () => plan } });
    const decomposed = await decompose(runtime, { sample: () => Promise.reject(new Error('The user said no.')) });
    expect(decomposed).toMatchObject({ planner: 'model', note: expect.stringContaining('The user said no.') });
  });

  it('the caller again, with what to think about, when there is no one else; never a template', async () => {
    const runtime = await testRuntime({ env: keyless });
    const decomposed = await decompose(runtime);
    expect(decomposed).toMatchObject({ planner: 'caller', request: expect.stringContaining('A house.') });
    expect(decomposed.tasks_created).toBeUndefined();
    expect(await runtime.tasks.list({ limit: 10 })).toEqual([]);
  });

  it('a template only when it is asked for', async () => {
    const runtime = await testRuntime({ env: keyless });
    const decomposed = await decompose(runtime, { planner: 'template' });
    expect(decomposed.planner).toBe('template');
    expect(decomposed.count).toBeGreaterThan(0);
  });
});

it("the client's model is told once what was wrong with its plan", async () => {
  const runtime = await testRuntime();
  const answers = ['Let me think.', plan];
  const prompts: string[] = [];
  const sample = async (prompt: string) => {
    prompts.push(prompt);
    return answers.shift() ?? '';
  };
  expect(await decompose(runtime, { planner: 'sampling', sample })).toMatchObject({ count: 2 });
  expect(prompts[1]).toContain('Your last answer could not be used.');
});

describe('a plan that takes longer than a call may', () => {
  async function slowPlan(): Promise<{ runtime: Background; open: () => void; asked: () => number }> {
    const home = tempDir();
    const provider = gatedProvider(home, plan);
    const runtime = await background({ home, config: { providers: { custom: { gated: provider.path } } } });
    return { runtime, open: provider.open, asked: provider.asked };
  }

  it('goes on under a task id, and is not made twice for a caller that asks again', async () => {
    const { runtime, open, asked } = await slowPlan();
    const goal = await runtime.goals.create({ name: 'Build', description: 'A house.' }, session);
    const wish: DecomposeRequest = {
      goal_id: goal.id,
      strategy: 'sequential',
      planner: 'model',
      max_tasks: 8,
      model: 'custom:gated',
    };
    const needs = { runtime, actor: session, progress: () => {}, sample: undefined };
    const gone = AbortSignal.abort();
    const first = await decomposeGoal(wish, { ...needs, signal: gone });
    expect(first).toMatchObject({ planner: 'model', status: 'running', task_id: expect.any(String) });
    const again = await decomposeGoal(wish, { ...needs, signal: gone });
    expect(again.task_id).toBe(first.task_id);
    open();
    expect(await decomposeGoal(wish, { ...needs, signal: new AbortController().signal })).toMatchObject({ count: 2 });
    expect(asked()).toBe(1);
    expect(await runtime.tasks.list({ goalId: goal.id, limit: 10 })).toHaveLength(2);
  });
});

describe('it fails with the way out', () => {
  it.each([
    ['a goal that is not there', { goal_id: 99 }, 'not_found', 'list_goals'],
    ['a client that lends no model', { planner: 'sampling' as const }, 'not_configured', 'Pass your own plan as tasks'],
    ['a model without its key', { planner: 'model' as const, model: 'sonnet' }, 'not_configured', 'ANTHROPIC_API_KEY'],
    [
      'a dependency that is not in the plan',
      { tasks: [{ title: 'One', depends_on: ['Zero'] }] },
      'invalid',
      'exact title',
    ],
  ])('%s', async (_, wish, code, hint) => {
    const runtime = await testRuntime({ env: keyless });
    await expect(decompose(runtime, wish)).rejects.toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) }),
    );
    expect(await runtime.tasks.list({ limit: 10 })).toEqual([]);
  });

  it('a cancelled goal', async () => {
    const runtime = await testRuntime();
    const goal = await runtime.goals.create({ name: 'Build', description: 'A house.' }, session);
    await runtime.goals.edit(goal.id, { status: 'cancelled' }, session);
    await expect(decompose(runtime, { goal_id: goal.id })).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: expect.stringContaining('update_goal') }),
    );
  });

  it('a model that makes no plan, with the id to retry', async () => {
    const runtime = await background({ model: { reply: () => 'No.' } });
    await expect(decompose(runtime)).rejects.toThrow(
      expect.objectContaining({ code: 'unavailable', hint: expect.stringContaining('retry_task') }),
    );
  });
});
