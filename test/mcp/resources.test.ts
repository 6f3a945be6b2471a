import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

const textOf = (contents: readonly object[]) => JSON.parse((contents[0] as { text: string }).text);

it('what reading tools return can be read by address', async () => {
  const { client, ok } = await connectServer({ home: tempDir() });
  await ok('create_goal', { name: 'A goal', description: 'x' });
  await ok('create_task', { title: 'A task', key: 'auth-api', goal_id: 1 });
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
    'goal://{id}',
    'task://{id}',
    'job://{id}',
    'agent://{type}',
  ]);
  const status = await client.readResource({ uri: 'runtime://status' });
  expect(textOf(status.contents)).toMatchObject({ all: { tasks: { ready: 1 } } });
  for (const uri of ['task://1', 'task://auth-api']) {
    const { contents } = await client.readResource({ uri });
    expect(textOf(contents)).toMatchObject({ id: 1, title: 'A task' });
  }
  const goal = await client.readResource({ uri: 'goal://1' });
  expect(textOf(goal.contents)).toMatchObject({ name: 'A goal' });
  await expect(client.readResource({ uri: 'task://99' })).rejects.toThrow('No task has id 99');
  await expect(client.readResource({ uri: 'planet://mars' })).rejects.toThrow('no resource planet://mars');
});

it('a client is told when what it follows has changed, by whomever, and no longer than it wants', async () => {
  const home = tempDir();
  const { client, ok } = await connectServer({ home });
  const other = await connectServer({ home });
  const updated: string[] = [];
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
  await ok('create_tasks', { tasks: [{ title: 'one' }, { title: 'two' }] });
  await client.subscribeResource({ uri: 'task://1' });
  await other.ok('edit_task', { task_id: 2, priority: 9 });
  await other.ok('edit_task', { task_id: 1, priority: 9 });
  await eventually('it has been told', () => updated.length > 0);
  expect(updated).toEqual(['task://1']);
  await client.unsubscribeResource({ uri: 'task://1' });
  await client.subscribeResource({ uri: 'runtime://status' });
  await other.ok('edit_task', { task_id: 1, priority: 3 });
  await eventually('it has been told', () => updated.length > 1);
  expect(updated).toEqual(['task://1', 'runtime://status']);
});

it('who follows a goal hears of its tasks, and who follows a task of those it waits for', async () => {
  const home = tempDir();
  const { client, ok } = await connectServer({ home });
  const other = await connectServer({ home });
  const updated = new Set<string>();
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.add(params.uri));
  const isTold = async (uris: readonly string[], change: Promise<unknown>) => {
    await change;
    await eventually(`it is told of ${uris}`, () => uris.every((uri) => updated.has(uri)));
    expect([...updated].sort()).toEqual([...uris].sort());
    updated.clear();
  };
  await ok('create_goal', { name: 'Ship', description: 'x' });
  await ok('create_goal', { name: 'Another', description: 'x' });
  await ok('create_tasks', {
    tasks: [
      { title: 'first', goal_id: 1 },
      { title: 'second', key: 'a/b', dependencies: [1] },
    ],
  });
  const { contents } = await client.readResource({ uri: 'goal://1' });
  expect(textOf(contents).progress.pending).toBe(1);
  for (const uri of ['goal://1', 'goal://2', 'task://2', 'task://a%2Fb']) await client.subscribeResource({ uri });

  await isTold(['goal://1'], other.ok('create_task', { title: 'more', goal_id: 1 }));
  await isTold(['goal://1', 'task://2'], other.ok('edit_task', { task_id: 1, priority: 9 }));
  await isTold(['task://2', 'task://a%2Fb'], other.ok('edit_task', { task_id: 2, priority: 9 }));
  await isTold(['goal://2'], other.ok('update_goal', { goal_id: 2, name: 'Renamed' }));
});

it('active goals and jobs that have not ended are listed, and a client that has read the list is told when it changes', async () => {
  const home = tempDir();
  const { client, ok } = await connectServer({ home });
  const other = await connectServer({ home });
  let changes = 0;
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void changes++);
  const listed = async () => (await client.listResources()).resources.map(({ uri, title }) => [uri, title]);
  const fixed = [
    ['runtime://status', 'What is going on'],
    ['metrics://summary', 'Metrics of the last hour'],
  ];
  expect(await listed()).toEqual(fixed);

  await other.ok('create_goal', { name: 'Ship', description: 'x' });
  await eventually('it is told of the goal', () => changes === 1);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const { job_id } = await other.ok('submit_job', { type: 'generic', payload: {}, run_at: later });
  await eventually('it is told of the job', () => changes === 2);
  expect(await listed()).toEqual([...fixed, ['goal://1', 'Ship'], [`job://${job_id}`, 'generic job']]);

  // What changes no list is not told of.
  await other.ok('create_task', { title: 'a task', goal_id: 1 });
  await ok('cancel_job', { job_id });
  await eventually('it is told of its end', () => changes === 3);
  expect(await listed()).toEqual([...fixed, ['goal://1', 'Ship']]);
});

it('a type of job can be read by its name', async () => {
  const { client } = await connectServer({ home: tempDir() });
  const { contents } = await client.readResource({ uri: 'agent://backtest' });
  expect(textOf(contents).agents).toMatchObject([{ type: 'backtest', schema: expect.any(Object) }]);
});

it.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])(
  'a cursor that %s has never given out is refused',
  async (method) => {
    const server = startRawServer({ home: tempDir() });
    await server.initialize();
    const { error } = await server.request(method, { cursor: 'nope' });
    expect(error).toEqual({
      code: -32602,
      message: `${method}: "nope" is not a cursor of this list, which is one page.`,
    });
  },
);

it('prompts tell a model what to do, and what is missing', async () => {
  const { client } = await connectServer({ home: tempDir() });
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(['plan', 'work', 'status', 'from_template']);
  const { messages } = await client.getPrompt({ name: 'plan', arguments: { goal: 'Ship the login page' } });
  expect(JSON.stringify(messages)).toContain('Ship the login page');
  await expect(client.getPrompt({ name: 'plan' })).rejects.toThrow('needs goal');
  await expect(client.getPrompt({ name: 'dance' })).rejects.toThrow('Known: plan, work, status, from_template');
});
