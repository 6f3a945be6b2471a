import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SinkEvent } from '../../src/index.js';
import { homeWithModules } from '../agents/modules/workshop.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const nobody = { holder: null, project: '' };

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) process.stderr.write('redis-server is not installed here: the test of the sink for Redis is skipped.\n');

/** A board whose sink is an example of docs/examples, with its packages beside it. */
async function withExample(file: string, env: Record<string, string>) {
  const name = file.replace(/\W.*/, '');
  const sink = { module: `./${file}`, env: Object.keys(env), events: ['task.*'] };
  const home = homeWithModules({}, { agents: [], sinks: { [name]: sink } });
  const directory = join(home, '.claude');
  copyFileSync(join(projectRoot, 'docs', 'examples', file), join(directory, file));
  mkdirSync(join(directory, 'node_modules'));
  for (const item of ['ioredis', 'kafkajs'])
    symlinkSync(join(projectRoot, 'node_modules', item), join(directory, 'node_modules', item));
  const runtime = await testRuntime({ home, env });
  await runtime.deliverer.look();
  return {
    create: (...titles: string[]) =>
      runtime.tasks.create(
        titles.map((title) => ({ title })),
        nobody,
      ),
    sink: () => runtime.eventTargets.find(name),
  };
}

async function startRedis(port: number, directory: string): Promise<ChildProcess> {
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
    {
      stdio: 'ignore',
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

describe.runIf(hasRedis)('the sink for a stream of Redis', () => {
  it('appends every event in order, also those of a time when Redis was away', async () => {
    const port = await freePort();
    const board = await withExample('redis-stream.ts', { REDIS_URL: `redis://127.0.0.1:${port}` });
    await board.create('while Redis is away', 'and another');
    await eventually('it has failed', async () => (await board.sink()).failures > 0);
    await startRedis(port, tempDir());
    const client = new Redis(port, { lazyConnect: true });
    client.on('error', () => {});
    onTestFinished(() => client.disconnect());
    const events = async (): Promise<SinkEvent[]> => {
      const entries = await client.xrange('agent-runtime:redis', '-', '+');
      return entries.map(([, fields]) => JSON.parse(fields[fields.indexOf('json') + 1] ?? ''));
    };
    await eventually('both have arrived', async () => (await events()).length === 2);
    await board.create('while it is there');
    await eventually('the third has arrived', async () => (await events()).length === 3);
    const found = await events();
    expect(found.map(({ subject_id }) => subject_id)).toEqual(['1', '2', '3']);
    expect(found.map(({ id }) => id)).toEqual(found.map(({ id }) => id).toSorted((a, b) => a - b));
    const [first] = await client.xrange('agent-runtime:redis', '-', '+', 'COUNT', 1);
    expect(first?.[1].slice(0, 6)).toEqual([
      'event',
      String(found[0]?.id),
      'kind',
      'task.created',
      'subject',
      'task:1',
    ]);
  });
});

describe('the sink for a topic of Kafka', () => {
  it('keeps its events while no broker answers, and says why', async () => {
    // No broker can be had from Debian or npm: what would be said to one is not tested, only that its client asks.
    process.stderr.write('No Kafka broker can be installed here: the sink for Kafka is tested without one.\n');
    const asked: Buffer[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => {
        asked.push(data);
        socket.destroy();
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const board = await withExample('kafka.ts', { KAFKA_BROKERS: `127.0.0.1:${port}` });
    await board.create('a');
    await eventually('its client asks the broker', () => asked.length > 0);
    // ApiVersions, the first request of every client (Kafka protocol guide).
    expect(asked[0]?.readInt16BE(4)).toBe(18);
    const failing = await eventually('it has failed', async () => {
      const sink = await board.sink();
      return sink.failures > 0 && sink;
    });
    expect(failing).toMatchObject({ delivered: 0, status: 'active', lastError: expect.any(String) });
  });
});
