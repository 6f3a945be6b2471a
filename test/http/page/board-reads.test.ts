import { expect, it } from 'vitest';
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
