import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

type Ref = { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };

async function connect() {
  const server = await connectServer({ home: tempDir() });
  const complete = async (ref: Ref, name: string, value: string) => {
    const { completion } = await server.client.complete({ ref, argument: { name, value } });
    return completion.values;
  };
  return { ...server, complete };
}

const work: Ref = { type: 'ref/prompt', name: 'work' };
const resource = (uri: string): Ref => ({ type: 'ref/resource', uri });

it('goals are suggested by id and by name, newest first, and only active ones', async () => {
  const { ok, complete } = await connect();
  for (const name of ['Ship the page', 'Ship 100% of it', 'Clean up'])
    await ok('create_goal', { name, description: '' });
  expect(await complete(work, 'goal_id', '')).toEqual(['3', '2', '1']);
  expect(await complete(work, 'goal_id', 'SHIP')).toEqual(['2', '1']);
  expect(await complete(work, 'goal_id', '100%')).toEqual(['2']);
  expect(await complete(resource('goal://{id}'), 'id', '3')).toEqual(['3']);
  await ok('update_goal', { goal_id: 3, status: 'cancelled' });
  expect(await complete(work, 'goal_id', '')).toEqual(['2', '1']);
});

it('tasks are suggested by key or number, jobs by the beginning of their id, job types and templates by name', async () => {
  const { ok, complete } = await connect();
  await ok('create_tasks', { tasks: [{ title: 'Write the API', key: 'auth-api' }, { title: 'Test it' }] });
  expect(await complete(resource('task://{id}'), 'id', 'auth')).toEqual(['auth-api']);
  expect(await complete(resource('task://{id}'), 'id', 'test')).toEqual(['2']);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const { job_id } = await ok('submit_job', { type: 'generic', payload: {}, run_at: later });
  expect(await complete(resource('job://{id}'), 'id', job_id.slice(0, 5))).toEqual([job_id]);
  expect(await complete(resource('agent://{type}'), 'type', 'back')).toEqual(['backtest']);
  await ok('save_task_template', { name: 'release', description: 'x', tasks: [{ title: 'Tag {{version}}' }] });
  expect(await complete({ type: 'ref/prompt', name: 'from_template' }, 'template', 're')).toEqual(['release']);
});

it('at most 100 are suggested, and it says that there are more', async () => {
  const { ok, client } = await connect();
  await ok('create_tasks', { tasks: Array.from({ length: 101 }, (_, index) => ({ title: `Task ${index}` })) });
  const { completion } = await client.complete({
    ref: { type: 'ref/resource', uri: 'task://{id}' },
    argument: { name: 'id', value: '' },
  });
  expect(completion.values).toHaveLength(100);
  expect(completion.hasMore).toBe(true);
});

it('free text is not completed, and what cannot be is an error that names it', async () => {
  const { complete } = await connect();
  expect(await complete({ type: 'ref/prompt', name: 'plan' }, 'goal', 'Ship')).toEqual([]);
  await expect(complete({ type: 'ref/prompt', name: 'dance' }, 'x', '')).rejects.toThrow('no prompt "dance"');
  await expect(complete(work, 'goal', '')).rejects.toThrow('no argument "goal"');
  await expect(complete(resource('planet://{id}'), 'id', '')).rejects.toThrow('no resource template "planet://{id}"');
});
