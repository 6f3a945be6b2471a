import { expect, it } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { firstLine } from '../../../src/core/overview/job-names.js';
import { readNames } from '../../../src/core/overview/names.js';
import { jobStoreOf } from '../../support/job-store.js';
import { testRuntime } from '../../support/test-runtime.js';

const someone = { holder: null, project: '' };

async function board() {
  const runtime = await testRuntime();
  const { goals, tasks, db } = runtime;
  const goal = await goals.create({ name: 'Take payments', description: '' }, someone);
  const [task] = await tasks.create([{ title: 'Write the gateway', goalId: goal.id }], someone);
  if (!task) throw new Error('There is no task.');
  const store = jobStoreOf(runtime);
  const submit = async (job: Parameters<typeof store.submit>[0]) => (await store.submit(job, someone)).job.id;
  const nameOf = async (reference: string) => (await readNames(db, [reference])).get(reference);
  return { runtime, goal, task, submit, nameOf };
}

it('a job is named by its task, its run, its plan, or the first line of its prompt that says something', async () => {
  const { goal, task, submit, nameOf } = await board();
  const name = async (job: Parameters<typeof submit>[0]) => (await nameOf(`job:${await submit(job)}`))?.name;
  expect(await name({ type: 'llm', payload: { prompt: 'any' }, task: task.id })).toBe('Write the gateway');
  expect(await name({ type: 'llm', payload: { prompt: '# Your task: Bake\n\nWell done.' } })).toBe('Bake');
  expect(await name({ type: 'decompose', payload: { goal_id: goal.id } })).toBe('Plan of Take payments');
  expect(await name({ type: 'verify', payload: { task_id: task.id } })).toBe('Check of Write the gateway');
  expect(await name({ type: 'run_goal', payload: { goal_id: goal.id } })).toBe('Run of goal Take payments');
  expect(await name({ type: 'backtest', payload: { ticker: 'AAPL', deep: {} } })).toBe('ticker=AAPL');
  expect(await name({ type: 'generic', payload: {} })).toBe('generic');
  const long = await name({ type: 'llm', payload: { prompt: `\n---\nA "long" prompt ${'\\ä'.repeat(9_000)}` } });
  expect(long).toMatch(/^A "long" prompt \\ä/);
  expect(long?.length).toBe(160);
});

it('a step of a relay is named by its number and the relay', async () => {
  const { runtime, submit, nameOf } = await board();
  const { pipeline, batons } = await runtime.relays.create(
    { name: 'Handbook', goal: 'g', tokenBudget: 50_000, preset: 'quick' },
    someone,
  );
  const step = async (baton_id: string) =>
    nameOf(`job:${await submit({ type: 'relay_step', payload: { pipeline_id: pipeline.id, baton_id } })}`);
  expect((await step(batons[0]?.id ?? ''))?.name).toBe('Step 1 of relay Handbook');
  expect((await step('gone'))?.name).toBe('A step of relay Handbook');
  expect(await nameOf(`relay:${pipeline.id}`)).toEqual({ kind: 'relay', id: pipeline.id, name: 'Handbook' });
});

it('a session is named by its client, project and worker, and told apart from another like it', async () => {
  const { runtime, nameOf } = await board();
  const info = { project: '/home/ada/shop', clientName: 'claude-code', clientVersion: '3' };
  const one = nameSession(info);
  await runtime.sessions.begin(one, info);
  const name = (await nameOf(one.holder))?.name;
  expect(name).toBe('Claude Code in shop');
  const other = nameSession(info);
  await runtime.sessions.begin(other, info);
  expect((await nameOf(other.holder))?.name).toBe(`Claude Code in shop, ${other.id.slice(0, 4)}`);
  await runtime.slots.claim('ada', { ...other, sessionId: other.id });
  expect(await nameOf(other.holder)).toEqual({ kind: 'session', id: other.holder, name: 'Claude Code in shop, ada' });
});

it('callers without a session are workers and persons, and what is gone is named by its kind and id', async () => {
  const { task, nameOf } = await board();
  expect(await nameOf('loose:ada')).toEqual({ kind: 'worker', id: 'ada', name: 'ada' });
  expect(await nameOf('user:owner')).toEqual({ kind: 'person', id: 'owner', name: 'owner' });
  expect(await nameOf(`task:${task.id}`)).toEqual({ kind: 'task', id: String(task.id), name: 'Write the gateway' });
  expect((await nameOf('task:999'))?.name).toBe('task 999');
  expect((await nameOf('task:x'))?.name).toBe('task x');
  expect((await nameOf('session:540bc99ff62c'))?.name).toBe('session 540bc9');
  expect((await nameOf('job:3f2c9a1e-1'))?.name).toBe('job 3f2c9a1e');
});

it.each([
  ['', ''],
  ['\n\n  ## \n```\nDo it', 'Do it'],
  ['# Your task: \n\nBake the bread', 'Bake the bread'],
  ['> 你好\nmore', '你好'],
])('the first line of %j that says something is %j', (text, line) => expect(firstLine(text)).toBe(line));
