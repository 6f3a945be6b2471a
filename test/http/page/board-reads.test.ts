import { expect, it } from 'vitest';
import { jobStoreOf } from '../../support/job-store.js';
import { serve } from '../serve.js';

const page = { answer: () => undefined };
const address = (name: string, input: object) => `/api/page/${name}?input=${encodeURIComponent(JSON.stringify(input))}`;

it('answers what the page shows, to those who are let in alone', async () => {
  const { send } = await serve({ page });
  await send('POST', '/api/tools/create_task', { body: '{"title": "one", "priority": 7}' });
  const { data } = await send('GET', address('board', {}));
  expect(data.counts).toEqual({ ready: 1, waiting: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0 });
  expect(data.columns.ready).toEqual([
    { id: 1, title: 'one', state: 'ready', priority: 7, attempts: 0, max_attempts: 3 },
  ]);
  expect((await send('GET', address('board', {}), { headers: { authorization: '' } })).status).toBe(401);
});

it('names what is wrong with a question', async () => {
  const { send } = await serve({ page });
  const unknown = await send('GET', address('board', { colour: 1 }));
  expect(unknown.status).toBe(400);
  expect(unknown.data.error.message).toContain('"colour"');
  expect((await send('GET', address('tasks', { cursor: 'x' }))).data.error.message).toContain('"x"');
  expect((await send('GET', address('goal_graph', { goal_id: 9 }))).status).toBe(404);
  expect((await send('GET', '/api/page/nothing')).status).toBe(404);
});

it('is not there on a server without a page', async () => {
  const { send } = await serve();
  expect((await send('GET', address('board', {}))).status).toBe(404);
});

it('a task is linked with the jobs that have worked on it, the newest first', async () => {
  const { runtime, send } = await serve({ page: { answer: () => undefined } });
  const nobody = { holder: null, project: '' };
  const [task] = await runtime.tasks.create([{ title: 'Bake' }], nobody);
  const store = jobStoreOf(runtime);
  const job = { type: 'generic', payload: {}, runAt: runtime.clock.now() + 3_600_000, task: task?.id };
  const { job: first } = await store.submit(job as Parameters<typeof store.submit>[0], nobody);
  await store.cancel(first.id, nobody);
  const { job: second } = await store.submit(job as Parameters<typeof store.submit>[0], nobody);
  const input = encodeURIComponent(JSON.stringify({ task_id: task?.id }));
  const { data } = await send('GET', `/api/page/task_links?input=${input}`);
  expect(data.jobs).toMatchObject([
    { id: second.id, status: 'pending' },
    { id: first.id, status: 'cancelled' },
  ]);
});
