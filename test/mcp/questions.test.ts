import type { Client as ModernClient } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { connectModern, envelope } from '../support/modern-client.js';
import { mainEntry } from '../support/paths.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

type Action = 'accept' | 'decline' | 'cancel';

interface Asking {
  asked: string[];
  call(name: string, args?: Record<string, unknown>): Promise<{ isError: boolean; text: string }>;
}

const textOf = (content: unknown) => (content as { text: string }[])[0]?.text ?? '';

/** A client of 2025-11-25 whose user gives the same answer to every question. */
async function legacyUser(home: string, action: Action): Promise<Asking> {
  const asked: string[] = [];
  const client = new Client({ name: 'asking', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked.push(params.message);
    return { action, ...(action === 'accept' ? { content: {} } : {}) };
  });
  const env = { HOME: home, PATH: '/usr/bin:/bin' };
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [mainEntry], env, cwd: home }));
  onTestFinished(() => client.close());
  return {
    asked,
    async call(name, args = {}) {
      const reply = await client.callTool({ name, arguments: args });
      return { isError: reply.isError === true, text: textOf(reply.content) };
    },
  };
}

/** The same of 2026-07-28, where a question is the answer to a request, which is sent again with the reply. */
async function modernUser(home: string, action: Action): Promise<Asking> {
  const asked: string[] = [];
  const { client } = await connectModern({
    home,
    capabilities: { elicitation: {} },
    prepare: (client: ModernClient) =>
      client.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        return { action, ...(action === 'accept' ? { content: {} } : {}) };
      }),
  });
  return {
    asked,
    async call(name, args = {}) {
      const reply = await client.callTool({ name, arguments: args });
      return { isError: reply.isError === true, text: textOf(reply.content) };
    },
  };
}

describe.each([
  ['2025-11-25', legacyUser],
  ['2026-07-28', modernUser],
])('a client of %s that can ask its user', (_, connect) => {
  it('is asked before the board is cleaned, and only an accepted question cleans it', async () => {
    const home = tempDir();
    const board = await connectServer({ home });
    await board.ok('create_task', { title: 'precious' });
    for (const action of ['decline', 'cancel'] as const) {
      const user = await connect(home, action);
      const refused = await user.call('clean_all_tasks', { confirm: true });
      expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('"code":"cancelled"') });
      expect(user.asked).toEqual([expect.stringContaining('Deletes every task of every project')]);
      expect((await board.ok('list_tasks')).count).toBe(1);
    }
    const user = await connect(home, 'accept');
    expect((await user.call('clean_all_tasks', { confirm: true })).isError).toBe(false);
    expect((await board.ok('list_tasks')).count).toBe(0);
  });

  it('is not asked about arguments that are refused anyway, nor about what can be undone', async () => {
    const user = await connect(tempDir(), 'decline');
    expect((await user.call('clean_all_tasks', {})).text).toContain('confirm is missing');
    expect((await user.call('create_task', { title: 'x' })).isError).toBe(false);
    expect((await user.call('update_task_status', { task_id: 1, status: 'cancelled' })).isError).toBe(false);
    expect(user.asked).toEqual([]);
  });
});

it('a client that cannot ask its user is served as before', async () => {
  const server = await connectServer({ home: tempDir() });
  await server.ok('create_task', { title: 'x' });
  expect(await server.ok('clean_all_tasks', { confirm: true })).toMatchObject({ deleted: 1 });
});

describe('between two requests of 2026-07-28', () => {
  const call = (name: string, args: object, capabilities: object, more: object = {}) => ({
    name,
    arguments: args,
    _meta: envelope(capabilities),
    ...more,
  });

  it("the client's own model plans, asked twice where its first plan is none", async () => {
    const server = startRawServer({ home: tempDir() });
    const sampling = { sampling: {} };
    await server.request('tools/call', call('create_goal', { name: 'Ship', description: 'It all' }, sampling));
    const plan = (more: object) => server.request('tools/call', call('decompose_goal', { goal_id: 1 }, sampling, more));
    const answerOf = (text: string) => ({
      question: { role: 'assistant', content: { type: 'text', text }, model: 'client-model' },
    });
    const first = (await plan({})).result;
    expect(first).toMatchObject({
      resultType: 'input_required',
      inputRequests: { question: { method: 'sampling/createMessage' } },
    });
    const second = (await plan({ requestState: first.requestState, inputResponses: answerOf('Sure!') })).result;
    expect(JSON.stringify(second.inputRequests)).toContain('is not JSON');
    const text = '{"tasks":[{"title":"Think"},{"title":"Do","depends_on":["Think"]}]}';
    const done = (await plan({ requestState: second.requestState, inputResponses: answerOf(text) })).result;
    expect(done.structuredContent).toMatchObject({ planner: 'sampling', tasks_created: [1, 2] });
  });

  it('a state is good once, and asks again without a reply; one that was never given out is refused', async () => {
    const server = startRawServer({ home: tempDir() });
    const elicitation = { elicitation: {} };
    const clean = (more: object) =>
      server.request('tools/call', call('clean_all_tasks', { confirm: true }, elicitation, more));
    const { requestState } = (await clean({})).result;
    const yes = { inputResponses: { question: { action: 'accept', content: {} } } };
    const again = (await clean({ requestState })).result;
    expect(again).toMatchObject({
      resultType: 'input_required',
      requestState: expect.not.stringMatching(requestState),
    });
    expect((await clean({ requestState: again.requestState, ...yes })).result.isError).toBeFalsy();
    for (const used of [requestState, again.requestState])
      expect((await clean({ requestState: used, ...yes })).error.code).toBe(-32602);
    expect((await clean({ requestState: 'forged', ...yes })).error.code).toBe(-32602);
  });

  it('a reply that is none changes nothing', async () => {
    const server = startRawServer({ home: tempDir() });
    const clean = (more: object) =>
      server.request('tools/call', call('clean_all_tasks', { confirm: true }, { elicitation: {} }, more));
    const { requestState } = (await clean({})).result;
    const { result } = await clean({ requestState, inputResponses: { question: { action: 'perhaps' } } });
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toContain('It did nothing.');
  });

  it('a client that names roots is asked for them once, by the first call', async () => {
    const server = startRawServer({ home: tempDir() });
    const roots = { roots: {} };
    const create = (more: object = {}) =>
      server.request('tools/call', call('create_goal', { name: 'G', description: '' }, roots, more));
    const { inputRequests, requestState } = (await create()).result;
    expect(inputRequests).toMatchObject({ question: { method: 'roots/list' } });
    const inputResponses = { question: { roots: [{ uri: 'file:///projects/named' }] } };
    const created = (await create({ requestState, inputResponses })).result;
    expect(created.structuredContent).toMatchObject({ id: 1, project: '/projects/named' });
    expect((await create()).result.structuredContent).toMatchObject({ id: 2, project: '/projects/named' });
  });
});
