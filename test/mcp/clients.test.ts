import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect, it, onTestFinished } from 'vitest';
import { icon } from '../../src/mcp/icon.js';
import { chooseTools } from '../../src/tools/index.js';
import { connectModern, envelope } from '../support/modern-client.js';
import { mainEntry, projectRoot } from '../support/paths.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

async function connectAs(name: string, env: Record<string, string> = {}) {
  const home = tempDir();
  const client = new Client({ name, version: '1' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [mainEntry],
    env: { HOME: home, PATH: '/usr/bin:/bin', ...env },
    cwd: home,
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

const namesOf = ({ tools }: { tools: { name: string }[] }) => tools.map(({ name }) => name);
const toolset = (toolsets: string) => chooseTools({ toolsets, isReadOnly: false }).map(({ name }) => name);

it.each(['codex-mcp-client', 'opencode', 'gemini-cli-mcp-client-agent-runtime', 'Visual Studio Code'])(
  '%s, which sends the schema of every tool each time, is listed the core',
  async (name) => {
    const client = await connectAs(name);
    expect(namesOf(await client.listTools())).toEqual(toolset('core'));
    // What is left out for its sake alone can be called all the same.
    const reply = await client.callTool({ name: 'circuit_breaker_status', arguments: { agent_id: 'researcher' } });
    expect(reply.isError).toBeFalsy();
  },
);

it.each(['claude-code', 'a program of my own'])('%s is listed all tools', async (name) => {
  expect(namesOf(await (await connectAs(name)).listTools())).toEqual(toolset('all'));
});

it('whoever chooses the toolsets has them in every client', async () => {
  const chosen = await connectAs('codex-mcp-client', { AGENT_RUNTIME_TOOLSETS: 'all' });
  expect(namesOf(await chosen.listTools())).toEqual(toolset('all'));
});

it('a client that does not wait for the answer to initialize is known by it all the same', async () => {
  const server = startRawServer({ home: tempDir() });
  const clientInfo = { name: 'cursor', version: '1' };
  const messages = [
    { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } },
    { method: 'notifications/initialized' },
    { id: 2, method: 'tools/list' },
  ];
  server.write(messages.map((message) => JSON.stringify({ jsonrpc: '2.0', ...message })).join('\n'));
  const { result } = await server.next(({ id }) => id === 2);
  expect(namesOf(result)).toEqual(toolset('core'));
});

it('a client of 2026-07-28 is known by each of its requests', async () => {
  const { client } = await connectModern({ home: tempDir(), name: 'codex-mcp-client' });
  expect(namesOf(await client.listTools())).toEqual(toolset('core'));
  expect(client.getInstructions()).not.toContain('breaker');
});

it.each([
  ['codex-mcp-client', {}],
  ['x', { AGENT_RUNTIME_TOOLSETS: 'relay' }],
  ['x', { AGENT_RUNTIME_READ_ONLY: '1' }],
  ['x', { AGENT_RUNTIME_TOOLSETS: 'system,background' }],
] as [string, Record<string, string>][])(
  'the instructions of %s with %o name no tool that is not offered',
  async (name, env) => {
    const client = await connectAs(name, env);
    const offered = new Set(namesOf(await client.listTools()));
    const named = client.getInstructions()?.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [];
    const all = new Set(toolset('all'));
    expect(named.filter((word) => all.has(word) && !offered.has(word))).toEqual([]);
    expect(client.getInstructions()).toContain('One durable runtime');
  },
);

it('the schemas of results are listed where the list stays small, and results are as they say', async () => {
  const few = await connectAs('x', { AGENT_RUNTIME_TOOLSETS: 'goals' });
  const { tools } = await few.listTools();
  expect(tools.every(({ outputSchema }) => outputSchema?.type === 'object')).toBe(true);
  expect(JSON.stringify(tools).length).toBeLessThan(45_000);
  // The client checks each result by the schema of its tool.
  const created = await few.callTool({ name: 'create_goal', arguments: { name: 'G', description: '' } });
  expect(created.structuredContent).toMatchObject({ id: 1 });
  const refused = await few.callTool({ name: 'get_goal', arguments: { goal_id: 9 } });
  expect(refused.isError).toBe(true);
  const all = await connectAs('x');
  expect((await all.listTools()).tools.some(({ outputSchema }) => outputSchema)).toBe(false);
});

it("the icon is the page's own", () => {
  const drawn = readFileSync(join(projectRoot, 'src/dashboard/icon.svg'), 'utf8').trim();
  expect(Buffer.from(icon.src.split(',')[1] ?? '', 'base64').toString()).toBe(drawn);
});

it('the server says what it is, with a description and an icon that needs no request', async () => {
  const server = startRawServer({ home: tempDir() });
  const { result } = await server.initialize();
  expect(result.serverInfo).toMatchObject({
    title: 'Agent Runtime',
    description: expect.stringContaining('outlive a session'),
    icons: [{ src: expect.stringMatching(/^data:image\/svg\+xml;base64,/), sizes: ['any'] }],
  });
  const modernServer = startRawServer({ home: tempDir() });
  const listed = await modernServer.request('tools/list', { _meta: envelope() });
  // Each answer says who gives it, in short.
  expect(JSON.stringify(listed.result._meta).length).toBeLessThan(200);
});
