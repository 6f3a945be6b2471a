import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { mainEntry } from '../support/paths.js';
import { type RawServer, startRawServer } from '../support/raw-client.js';
import { takesLessThan } from '../support/takes-less-than.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

async function startWithSlot(home: string): Promise<RawServer> {
  const server = startRawServer({ home });
  await server.initialize();
  await server.request('tools/call', { name: 'claim_worker_slot', arguments: {} });
  await eventually('the session row', async () => (await rows(home, 'select * from sessions')).length === 1);
  return server;
}

async function rows(home: string, text: string): Promise<Record<string, unknown>[]> {
  const runtime = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: join(home, '.claude', 'agent_runtime') } });
  try {
    return await runtime.db.all(text);
  } finally {
    runtime.close();
  }
}

const endings: [name: string, end: (server: RawServer) => void][] = [
  ['stdin end', (server) => server.process.stdin?.end()],
  ['SIGINT', (server) => server.process.kill('SIGINT')],
  ['SIGTERM', (server) => server.process.kill('SIGTERM')],
  ['SIGHUP', (server) => server.process.kill('SIGHUP')],
];

describe.each(endings)('on %s', (_, end) => {
  it('the server ends at once, its session is over and its slot is free', async () => {
    const endOne = async () => {
      const home = tempDir();
      const server = await startWithSlot(home);
      const since = performance.now();
      end(server);
      const { code, at } = await server.ended;
      expect(code).toBe(0);
      expect(await rows(home, 'select * from sessions where ended_at is null')).toEqual([]);
      expect(await rows(home, 'select * from worker_slots')).toEqual([]);
      return at - since;
    };
    // Claude Code kills what is still there after some 500 ms.
    expect(await takesLessThan(400, endOne)).toBe(true);
  });
});

it('a client that no longer reads (EPIPE) ends the server', async () => {
  const server = await startWithSlot(tempDir());
  server.process.stdout?.destroy();
  server.notify('ping');
  server.write(JSON.stringify({ jsonrpc: '2.0', id: 1000, method: 'tools/list', params: {} }));
  server.write(JSON.stringify({ jsonrpc: '2.0', id: 1001, method: 'tools/list', params: {} }));
  const { code } = await server.ended;
  expect(code).toBe(0);
});

it('a server whose parent was killed does not live on, even with its pipes held open', async () => {
  const home = tempDir();
  // A shell between us and the server keeps nothing but its life: the pipes are ours.
  const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" "${mainEntry}" <&3 & echo $!; wait`], {
    env: { HOME: home, PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  onTestFinished(() => void shell.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve) =>
    shell.stdout?.once('data', (data: Buffer) => resolve(Number(data))),
  );
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  const stdin = shell.stdio[3] as NodeJS.WritableStream;
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  await eventually('the server to be up', () => existsSync(join(home, '.claude', 'agent_runtime.db')));
  expect(isAlive(pid)).toBe(true);
  shell.kill('SIGKILL');
  await eventually('the orphan to end', () => !isAlive(pid));
});

it('SIGKILL of the server leaves a slot that the next session takes back', async () => {
  const home = tempDir();
  const first = await startWithSlot(home);
  first.process.kill('SIGKILL');
  await first.ended;
  const second = startRawServer({ home });
  await second.initialize();
  await eventually(
    'the dead session to be swept',
    async () => (await rows(home, 'select * from worker_slots')).length === 0,
  );
});
