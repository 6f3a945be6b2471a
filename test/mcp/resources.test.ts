import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
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

it('prompts tell a model what to do, and what is missing', async () => {
  const { client } = await connectServer({ home: tempDir() });
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(['plan', 'work', 'status', 'from_template']);
  const { messages } = await client.getPrompt({ name: 'plan', arguments: { goal: 'Ship the login page' } });
  expect(JSON.stringify(messages)).toContain('Ship the login page');
  await expect(client.getPrompt({ name: 'plan' })).rejects.toThrow('needs goal');
  await expect(client.getPrompt({ name: 'dance' })).rejects.toThrow('Known: plan, work, status, from_template');
});
