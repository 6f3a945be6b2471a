import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ServerSettings } from '../../src/base/server-settings.js';
import { odd } from '../downstream/tool-runtime.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

function connect(mcpServers: Record<string, ServerSettings>, home = tempDir()) {
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  return connectServer({ home });
}

it('call_tool says what came, from whom, and after which tries', async () => {
  const server = await connect({ odd: odd() });
  const reply = await server.ok('call_tool', { tool_name: 'odd.echo', arguments: { text: 'hello' }, urgency: 'HIGH' });
  expect(reply).toMatchObject({ tool: 'odd.echo', source: 'primary', instance: 'odd#1' });
  expect(reply.result).toEqual({ content: [{ type: 'text', text: 'hello' }] });
  expect(reply.attempts).toEqual([{ source: 'primary', instance: 'odd#1', ms: expect.any(Number) }]);
});

it('a result that is not all text comes as its own blocks, with how it came behind them', async () => {
  const { client } = await connect({ odd: odd() });
  const reply = await client.callTool({ name: 'call_tool', arguments: { tool_name: 'odd.picture' } });
  const blocks = reply.content as { type: string; text?: string }[];
  expect(blocks.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link', 'text']);
  expect(JSON.parse(blocks[3]?.text ?? '')).toMatchObject({ tool: 'odd.picture', source: 'primary' });
  expect(reply.structuredContent).toBeUndefined();
});

it('what a tool calls an error is one for the client too', async () => {
  const { client } = await connect({ odd: odd() });
  const reply = await client.callTool({ name: 'call_tool', arguments: { tool_name: 'odd.refuse' } });
  expect(reply.isError).toBe(true);
  expect(reply.structuredContent).toMatchObject({ source: 'primary', result: { isError: true } });
});

it('a long result is cut to what was asked for, and says so', async () => {
  const server = await connect({ odd: odd() });
  const usual = await server.call('call_tool', { tool_name: 'odd.big', arguments: { bytes: 100_000 } });
  expect(usual.text.length).toBeLessThan(20_000);
  expect(usual.data.cut).toContain('85000 more characters');
  const whole = await server.ok('call_tool', {
    tool_name: 'odd.big',
    arguments: { bytes: 100_000 },
    max_chars: 200_000,
  });
  expect(whole.result.content[0].text).toHaveLength(100_000);
  expect(whole.cut).toBeUndefined();
});

it('progress of a tool reaches the client', async () => {
  const { client } = await connect({ odd: odd() });
  const heard: (string | undefined)[] = [];
  await client.callTool(
    { name: 'call_tool', arguments: { tool_name: 'odd.progress', arguments: { steps: 2 } } },
    undefined,
    {
      onprogress: ({ message }) => void heard.push(message),
    },
  );
  expect(heard).toEqual(['1 of 2: step 1', '2 of 2: step 2']);
});

it('tools are listed with their health, in pages, by words, and with what they take', async () => {
  const server = await connect({ odd: odd({ env: { MANY_TOOLS: '3000' } }), gone: { command: 'no-such-command' } });
  const first = await server.call('list_available_tools');
  expect(first.data).toMatchObject({
    total: 3_028,
    next_cursor: expect.any(String),
    not_started: [{ server: 'gone', problem: 'its command was not found' }],
  });
  expect(first.text.length).toBeLessThan(2_100);
  const next = await server.ok('list_available_tools', { cursor: first.data.next_cursor, limit: 100 });
  expect(next.tools[0].name).not.toBe(first.data.tools[0].name);
  const found = await server.ok('list_available_tools', { query: 'does ECHO', fields: 'full' });
  expect(found.tools).toEqual([
    { name: 'odd.echo', description: 'Does echo.', health: 'up', read_only: true, input_schema: { type: 'object' } },
  ]);
});

it('a server that is down is shown with the tools that it had, and by runtime_status', async () => {
  const home = tempDir();
  const file = join(home, 'down');
  const server = await connect({ odd: odd({ env: { DOWN_FILE: file } }) }, home);
  const { result } = await server.ok('call_tool', { tool_name: 'odd.pid' });
  expect((await server.ok('runtime_status')).all.sick_servers).toBeUndefined();
  writeFileSync(file, '');
  process.kill(Number(result.content[0].text), 'SIGKILL');
  const status = await eventually('it is noticed', async () => {
    const { all } = await server.ok('runtime_status');
    return all.sick_servers;
  });
  expect(status[0]).toMatchObject({ server: 'odd', problem: expect.any(String) });
  const { tools } = await server.ok('list_available_tools', { query: 'echo' });
  expect(tools[0]).toMatchObject({ name: 'odd.echo', health: 'down', listed_at: expect.any(String) });
});

it('list_tool_servers, get_tool_stats, set_tool_route and scale_tool_server say what they know and did', async () => {
  const server = await connect({ odd: odd({ instances: 2 }) });
  await server.ok('call_tool', { tool_name: 'odd.echo' });
  await server.call('call_tool', { tool_name: 'odd.refuse' });
  const { servers } = await server.ok('list_tool_servers');
  expect(servers[0]).toMatchObject({
    server: 'odd',
    runs: expect.stringContaining('odd-server.mjs'),
    health: 'up',
    tools: 26,
  });
  expect(servers[0].instances).toHaveLength(2);
  expect(servers[0].instances[0]).toMatchObject({ id: 'odd#1', breaker: 'CLOSED', in_flight: 0, restarts: 0 });
  const stats = await server.ok('get_tool_stats');
  expect(stats.answered_by).toEqual({ primary: { calls: 2, share: 1 } });
  expect((await server.ok('get_tool_stats', { tool_name: 'refuse' })).tools).toMatchObject([
    { tool: 'odd.refuse', tool_errors: 1 },
  ]);
  expect(await server.ok('set_tool_route', { tool_name: 'odd.echo', cache_seconds: 60 })).toEqual({
    tool_name: 'odd.echo',
    backups: [],
    cache_seconds: 60,
  });
  expect(await server.ok('set_tool_route', { tool_name: 'odd.echo', retry_safe: true })).toMatchObject({
    cache_seconds: 60,
    retry_safe: true,
  });
  expect(await server.ok('scale_tool_server', { server: 'odd', instances: 0 })).toEqual({
    server: 'odd',
    instances: 0,
  });
  expect((await server.call('scale_tool_server', { server: 'sh', instances: 1 })).data).toMatchObject({
    code: 'not_found',
  });
  expect((await server.call('call_tool', { tool_name: 'odd.add' })).data).toMatchObject({ code: 'unavailable' });
});

it('a tool call cannot name a command: servers come from the config file alone', async () => {
  const server = await connect({});
  const reply = await server.call('scale_tool_server', { server: 'x', instances: 1, command: 'sh' });
  expect(reply.data.message).toContain('Unknown argument "command"');
  expect((await server.call('call_tool', { tool_name: 'echo' })).data).toMatchObject({
    code: 'not_found',
    hint: /No server is configured/,
  });
});
