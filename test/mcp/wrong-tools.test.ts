import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

it.each([
  ['createTask', 'Did you mean create_task?'],
  ['create-task', 'Did you mean create_task?'],
  ['claim_nxet_task', 'Did you mean claim_next_task or claim_task?'],
  ['zzz', 'tools/list names all tools.'],
])('a call of %s names the tool that was meant', async (name, hint) => {
  const server = await connectServer({ home: tempDir() });
  const { isError, data } = await server.call(name, { title: 'T' });
  expect(isError).toBe(true);
  expect(data).toMatchObject({ code: 'not_found', message: `There is no tool "${name}" here.`, hint });
});

it('a read-only server says so, and names the tool that it leaves out', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_READ_ONLY: '1' } });
  for (const name of ['create_task', 'createTask']) {
    const { data } = await server.call(name, { title: 'T' });
    expect(data.message).toBe('This server is read-only, and create_task changes data: it is left out.');
    expect(data.hint).toContain('AGENT_RUNTIME_READ_ONLY');
  }
});

it('a server of some toolsets names those, and the tool that is in none of them', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_TOOLSETS: 'goals' } });
  const { data } = await server.call('run_relay', { pipeline_id: 'x' });
  expect(data.message).toBe('run_relay is left out of this server, which offers the toolsets "goals".');
  expect(data.hint).toContain('AGENT_RUNTIME_TOOLSETS');
});

it('what a call was read as is said beside its result', async () => {
  const server = await connectServer({ home: tempDir() });
  const { content, structuredContent } = await server.client.callTool({
    name: 'list_tasks',
    arguments: { limit: 500 },
  });
  expect(structuredContent).toMatchObject({ tasks: [] });
  expect(content).toMatchObject([{}, { text: 'Note: limit 500 was cut to 200, the most there may be.' }]);
});
