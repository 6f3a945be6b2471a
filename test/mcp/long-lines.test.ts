import { PassThrough } from 'node:stream';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { expect, it, onTestFinished } from 'vitest';
import { longestMessageBytes, StdioTransport } from '../../src/mcp/stdio-transport.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

const call = (id: number, name: string, args: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });

it('a list of tasks that the schema allows is taken, whatever its size', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  const tasks = Array.from({ length: 1_000 }, (_, index) => ({
    title: `Task ${index}`,
    description: 'x'.repeat(11_000),
  }));
  const { result } = await server.request('tools/call', { name: 'create_tasks', arguments: { tasks } });
  expect(result.structuredContent.count).toBe(1_000);
});

it('a message over the limit is answered by its id, with the limit, and the server lives on and ends with its client', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  server.write(call(900, 'create_task', { title: 'T', description: 'x'.repeat(longestMessageBytes) }));
  const { error } = await server.next(({ id }) => id === 900);
  expect(error.code).toBe(-32600);
  expect(error.message).toContain(`at most ${longestMessageBytes} bytes`);
  expect((await server.request('ping')).result).toEqual({});
  expect(server.stderr()).toBe('');
  server.process.stdin?.end();
  expect((await server.ended).code).toBe(0);
});

it('what closes the transport says so once, and nothing is read afterwards', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const transport = new StdioTransport({ input, output, longestBytes: 1_000 });
  const closes: string[] = [];
  transport.onclose = () => void closes.push('closed');
  const server = new Server({ name: 'x', version: '1' }, { capabilities: {} });
  await server.connect(transport);
  await server.close();
  await transport.close();
  input.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`);
  await new Promise((resolve) => setImmediate(resolve));
  expect(closes).toEqual(['closed']);
  expect(output.read()).toBeNull();
});

it('a notification over the limit has no one to answer; it is logged', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const transport = new StdioTransport({ input, output, longestBytes: 1_000 });
  const problems: string[] = [];
  transport.onerror = ({ message }) => void problems.push(message);
  await new Server({ name: 'x', version: '1' }, { capabilities: {} }).connect(transport);
  input.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { text: 'x'.repeat(2_000) } })}\n`);
  await new Promise((resolve) => setImmediate(resolve));
  expect(problems).toEqual([expect.stringContaining('at most 1000 bytes')]);
  expect(output.read()).toBeNull();
});

it('many answers to a client that reads slowly make no noise, and all arrive', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const transport = new StdioTransport({ input, output });
  const warned: string[] = [];
  const hear = ({ name }: Error) => void warned.push(name);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  const message = { jsonrpc: '2.0' as const, method: 'x', params: { text: 'x'.repeat(20_000) } };
  const sent = Array.from({ length: 20 }, () => transport.send(message));
  expect(output.writableNeedDrain).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(warned).toEqual([]);
  output.resume();
  await Promise.all(sent);
});
