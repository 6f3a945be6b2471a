import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/store/sqlite/connection.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { connect } from '../support/sqlite.js';
import { tempDir } from '../support/temp-dir.js';

const databaseOf = (home: string) => join(home, '.claude', 'agent_runtime.db');

/** Opened after the servers have ended. */
function inspect<Found>(home: string, look: (db: Connection) => Found): Found {
  const db = connect(databaseOf(home), { readonly: true });
  try {
    expect(db.pragma('quick_check', { simple: true })).toBe('ok');
    return look(db);
  } finally {
    db.close();
  }
}

/** Overwrites pages in the middle of a database that no process has open, and makes its daily check due again. */
function ruinPages(file: string): void {
  const db = connect(file);
  db.exec('delete from duties');
  const leaf = db.prepare("select pageno from dbstat where name = 'tasks' and pagetype = 'leaf' limit 3").pluck().all();
  db.close();
  const descriptor = openSync(file, 'r+');
  for (const page of leaf as number[]) writeSync(descriptor, Buffer.alloc(4_096, 0x5a), 0, 4_096, (page - 1) * 4_096);
  closeSync(descriptor);
}

it('kill -9 of the server in mid-write leaves whole batches and a sound database', async () => {
  const home = tempDir();
  let acknowledged = 0;
  for (let round = 0; round < 5; round++) {
    const server = await connectServer({ home });
    const tasks = Array.from({ length: 300 }, (_, index) => ({ title: `Task ${index}`, description: 'x'.repeat(500) }));
    const answered = await Promise.allSettled([
      ...Array.from({ length: 12 }, () => server.ok('create_tasks', { tasks })),
      new Promise<void>((resolve) => setTimeout(resolve, 60 + round * 40)).then(() =>
        process.kill(server.pid, 'SIGKILL'),
      ),
    ]);
    acknowledged += answered.slice(0, 12).filter((reply) => reply.status === 'fulfilled').length;
  }
  const survivor = await connectServer({ home });
  await survivor.ok('create_task', { title: 'after all that' });
  await survivor.close();
  const stored = inspect(home, (db) => db.prepare('select count(*) from tasks').pluck().get() as number) - 1;
  expect(stored % 300).toBe(0);
  expect(stored / 300).toBeGreaterThanOrEqual(acknowledged);
});

it('ten servers that start at once on no database all work, on one schema', async () => {
  const home = tempDir();
  const [first, ...others] = await Promise.all([
    connectServer({ home }),
    ...Array.from({ length: 9 }, () => connectServer({ home })),
  ]);
  const servers = [first, ...others];
  const tasks = await Promise.all(servers.map((server, index) => server.ok('create_task', { title: `from ${index}` })));
  expect(new Set(tasks.map((task) => task.id)).size).toBe(10);
  expect((await first.ok('list_tasks', { limit: 50 })).count).toBe(10);
});

describe('a database that cannot be used', () => {
  it('is named by every call, with a fix, while the server goes on', async () => {
    const home = tempDir();
    mkdirSync(join(home, '.claude'));
    writeFileSync(databaseOf(home), 'this is not a database, and has never been one. '.repeat(200));
    const server = await connectServer({ home });
    for (const tool of ['runtime_status', 'list_tasks']) {
      const { data } = await server.call(tool);
      expect(data).toMatchObject({ code: 'unavailable' });
      expect(data.message).toContain(databaseOf(home));
      expect(data.hint).toMatch(/restore|recover/);
    }
  });

  it('is not written to after the daily check has found damage, and the newest backup is named', async () => {
    const home = tempDir();
    const first = await connectServer({ home });
    const tasks = Array.from({ length: 500 }, (_, index) => ({ title: `Task ${index}`, description: 'x'.repeat(200) }));
    await first.ok('create_tasks', { tasks });
    const { path } = await first.ok('backup_database');
    await first.close();
    ruinPages(databaseOf(home));
    const server = await connectServer({ home });
    const { data } = await eventually('the check', async () => {
      const reply = await server.call('create_task', { title: 'lost?' });
      return reply.isError && reply;
    });
    expect(data).toMatchObject({ code: 'unavailable' });
    expect(data.message).toContain('damaged');
    expect(data.hint).toContain(path);
  });

  it('is left alone when a newer program has written it', async () => {
    const home = tempDir();
    const first = await connectServer({ home });
    await first.ok('create_task', { title: 'kept' });
    await first.close();
    const db = connect(databaseOf(home));
    db.pragma('user_version = 99');
    db.close();
    const server = await connectServer({ home });
    const { data } = await server.call('list_tasks');
    expect(data.message).toContain('schema version 99');
    expect(data.hint).toContain('Update');
    await server.close();
    expect(inspect(home, (found) => found.prepare('select title from tasks').pluck().all())).toEqual(['kept']);
  });

  it('in a home that cannot be made says which path and which setting, and works once that is fixed', async () => {
    const server = await connectServer({ home: '/proc/no-such-home', cwd: tempDir() });
    const { data } = await server.call('create_task', { title: 'T' });
    expect(data).toMatchObject({ code: 'unavailable' });
    expect(data.message).toContain('/proc/no-such-home/.claude');
    expect(data.hint).toContain('AGENT_RUNTIME_DB_PATH');
    expect((await server.client.listTools()).tools.length).toBeGreaterThan(20);
  });
});

it('a database of the earlier Python server is taken over with its goals and tasks on the first call', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  copyFileSync(join(import.meta.dirname, '../fixtures/store/legacy-agent-runtime.db'), databaseOf(home));
  const server = await connectServer({ home });
  expect((await server.ok('list_goals')).goals.map((goal: { id: number }) => goal.id)).toEqual([3, 2, 1]);
  expect(await server.ok('get_task', { task_id: 7 })).toMatchObject({
    status: 'completed',
    result: 'ok',
    dependencies: [6],
  });
  expect((await server.ok('create_task', { title: 'next' })).id).toBe(19);
});

it('SIGTERM to the server in the middle of a stream leaves the stream to the runner', async () => {
  const provider = await startAnthropicServer();
  const home = tempDir();
  const env = { ANTHROPIC_API_KEY: 'sk-ant-faults-0123456789', ANTHROPIC_BASE_URL: provider.url };
  const first = await connectServer({ home, env });
  const prompt = 'x [[model {"pieces":["one ","two ","three"],"heldAt":1}]]';
  const { task_id } = await first.ok('submit_background_task', { task_description: prompt });
  await eventually('the stream', () => provider.requests.length > 0);
  process.kill(first.pid, 'SIGTERM');
  const second = await connectServer({ home, env });
  provider.letGo();
  await second.ok('wait_for_tasks', { task_ids: [task_id] });
  expect((await second.ok('get_task_result', { task_id })).result).toBe('one two three');
  await provider.close();
});

it('a key appears in no file that is left, whatever fails', async () => {
  const key = 'sk-ant-very-secret-0123456789abcdef';
  const provider = await startAnthropicServer();
  const home = tempDir();
  const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: provider.url, AGENT_RUNTIME_LOG_LEVEL: 'debug' };
  const server = await connectServer({ home, env });
  const failing = await server.ok('submit_background_task', {
    task_description: `401 [[model {"status":401,"message":"invalid x-api-key ${key}"}]]`.replace(
      key,
      'sk-ant-echoed-0123456789',
    ),
    max_attempts: 1,
  });
  const fine = await server.ok('submit_background_task', { task_description: 'hello' });
  await server.ok('wait_for_tasks', { task_ids: [failing.task_id, fine.task_id] });
  expect((await server.ok('check_task_status', { task_id: failing.task_id })).error.message).toContain(
    'ANTHROPIC_API_KEY',
  );
  await server.close();
  const { stdout } = spawnSync('grep', ['-rlaF', key, home], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(server.stderr()).not.toContain(key);
  await provider.close();
});
