import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/runtime.js';
import { type DecomposeTaskRequest, decomposeTask } from '../../src/services/decompose-task.js';
import { background, session } from '../runner/fixtures/background.js';
import { gatedProvider } from '../runner/fixtures/gated-provider.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const plan = JSON.stringify([{ title: 'One' }, { title: 'Two' }]);

interface More extends Partial<DecomposeTaskRequest> {
  sample?: (prompt: string) => Promise<string>;
  signal?: AbortSignal;
}

function decompose(runtime: Runtime, task_id: number, { sample, signal, ...wish }: More = {}) {
  return decomposeTask(
    { task_id, strategy: 'sequential', max_tasks: 8, ...wish },
    { runtime, actor: session, signal: signal ?? new AbortController().signal, progress: () => {}, sample },
  );
}

async function newTask(runtime: Runtime): Promise<number> {
  const task = { title: 'Build', description: 'A house.', acceptance: 'It stands.' };
  const [created] = await runtime.tasks.create([task], session);
  return created?.id ?? 0;
}

describe('a task that is too large is planned by whoever there is', () => {
  it('a configured model, which is told what the task is and when it is done', async () => {
    const prompts: string[] = [];
    const reply = ({ prompt }: { prompt: string }) => {
      prompts.push(prompt);
      return plan;
    };
    const runtime = await background({ model: { reply } });
    const task = await newTask(runtime);
    await runtime.tasks.updateStatus({ task, status: 'in_progress' }, session);
    expect(await decompose(runtime, task)).toEqual({ task_id: task, subtasks: [2, 3], count: 2 });
    expect(prompts[0]).toMatch(/Name: Build\nDescription: A house\.\n\nIt is done when:\nIt stands\./);
    const { status, subtasks, dependencies } = await runtime.tasks.get(task);
    expect([status, subtasks, dependencies]).toEqual(['pending', [2, 3], [2, 3]]);
    expect((await runtime.tasks.get(3)).dependencies).toEqual([2]);
  });

  it("the client's own model first, and a configured one when that gives no plan", async () => {
    const runtime = await background({ model: { reply: () => plan } });
    const own = await decompose(runtime, await newTask(runtime), { sample: async () => '[{"title": "Alone"}]' });
    expect(own.count).toBe(1);
    const sample = () => Promise.reject(new Error('The user said no.'));
    const other = await decompose(runtime, await newTask(runtime), { sample });
    expect(other).toMatchObject({ count: 2, note: expect.stringContaining('The user said no.') });
  });

  it('the caller, with the form to answer in, when there is no one else', async () => {
    const runtime = await testRuntime({ env: { ANTHROPIC_API_KEY: '' } });
    const asked = await decompose(runtime, await newTask(runtime));
    expect(asked.request).toContain('call decompose_task again with task_id 1');
    expect(asked.subtasks).toBeUndefined();
  });
});

it('a plan that takes longer than a call may goes on as a job, and is not made twice', async () => {
  const home = tempDir();
  const provider = gatedProvider(home, plan);
  const runtime = await background({ home, config: { providers: { custom: { gated: provider.path } } } });
  const task = await newTask(runtime);
  const wish = { model: 'custom:gated' };
  const first = await decompose(runtime, task, { ...wish, signal: AbortSignal.abort() });
  expect(first).toEqual({ task_id: task, status: 'running', job_id: expect.any(String) });
  expect((await decompose(runtime, task, { ...wish, signal: AbortSignal.abort() })).job_id).toBe(first.job_id);
  provider.open();
  expect(await decompose(runtime, task, wish)).toMatchObject({ subtasks: [2, 3] });
  expect(provider.asked()).toBe(1);
});

it('a task that another session has claimed is left as it is', async () => {
  const runtime = await background({ model: { reply: () => plan } });
  const task = await newTask(runtime);
  await runtime.tasks.updateStatus({ task, status: 'in_progress' }, { holder: 'session:other', project: '' });
  await expect(decompose(runtime, task)).rejects.toMatchObject({ code: 'unavailable' });
  expect((await runtime.tasks.get(task)).subtasks).toEqual([]);
});
