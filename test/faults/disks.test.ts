import { closeSync, existsSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountTmpfs } from '../store/sqlite/tmpfs.js';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';
import { callTool, makesTask, requires, serverUnder } from './server-under.js';

/** Leaves no byte free below a path. */
function fill(directory: string): void {
  const file = openSync(join(directory, 'filler'), 'w');
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1));
    } catch {
      // It is full.
    }
  }
  closeSync(file);
}

describe('the directory for temporary files', () => {
  it('is full: the board, backups and background work go on', async (context) => {
    const temp = mountTmpfs(context, 512);
    fill(temp.path);
    const server = await serverUnder([], tempDir(), { TMPDIR: temp.path });
    await makesTask(server, 'one');
    expect((await callTool(server, 'backup_database')).isError).toBe(false);
    await runsBackgroundWork(server);
  });

  it('is read-only: the board, backups and background work go on', async (context) => {
    const temp = mountTmpfs(context, 512);
    temp.makeReadOnly();
    const server = await serverUnder([], tempDir(), { TMPDIR: temp.path });
    await makesTask(server, 'one');
    expect((await callTool(server, 'backup_database')).isError).toBe(false);
    await runsBackgroundWork(server);
  });
});

describe('the disk of the logs', () => {
  it('is full: the server works, and its answers are whole', async (context) => {
    const disk = mountTmpfs(context, 512);
    const data = join(disk.path, 'data');
    mkdirSync(data);
    fill(disk.path);
    const home = tempDir();
    const env = { AGENT_RUNTIME_DATA_DIR: data, AGENT_RUNTIME_DB_PATH: join(home, 'board.db') };
    const server = await serverUnder([], home, env);
    for (let call = 0; call < 20; call++) await makesTask(server, `task ${call}`);
  });

  it('is read-only: the server works', async (context) => {
    const disk = mountTmpfs(context, 512);
    const data = join(disk.path, 'data');
    mkdirSync(data);
    disk.makeReadOnly();
    const home = tempDir();
    const env = { AGENT_RUNTIME_DATA_DIR: data, AGENT_RUNTIME_DB_PATH: join(home, 'board.db') };
    const server = await serverUnder([], home, env);
    await makesTask(server, 'one');
    expect(readdirSync(data)).toEqual([]);
  });
});

describe('the disk of the database', () => {
  it('is full: every call says so, nothing is half written, and it works again once there is room', async (context) => {
    const disk = mountTmpfs(context, 2_048);
    const env = { AGENT_RUNTIME_DB_PATH: join(disk.path, 'board.db') };
    const server = await serverUnder([], tempDir(), env);
    await makesTask(server, 'before');
    const tasks = Array.from({ length: 100 }, (_, index) => ({
      title: `task ${index}`,
      description: 'x'.repeat(20_000),
    }));
    const refused = await callTool(server, 'create_tasks', { tasks });
    expect(refused).toMatchObject({
      isError: true,
      data: { code: 'unavailable', message: expect.stringMatching(/full/) },
    });
    expect((await callTool(server, 'list_tasks', { limit: 50 })).data.count).toBe(1);
    await makesTask(server, 'a small one after it');
  });

  it('is slow: each call waits and is answered, and the lease of a claim outlives the wait', async (context) => {
    requires(context, 'strace', '-f', '-o', '/dev/null', '-e', 'trace=pwrite64', 'true');
    const slow = ['-e', 'trace=pwrite64,fdatasync,fsync', '-e', 'inject=pwrite64,fdatasync,fsync:delay_enter=20000'];
    const home = tempDir();
    const server = await serverUnder(['strace', '-f', '-qq', '-o', '/dev/null', ...slow], home);
    for (let task = 0; task < 5; task++) await makesTask(server, `task ${task}`);
    const { data } = await callTool(server, 'claim_next_task');
    const done = { task_id: data.id, claim_token: data.claim_token, status: 'completed', result: 'Done.' };
    expect(await callTool(server, 'update_task_status', done)).toMatchObject({ isError: false });
    expect(existsSync(join(home, '.claude', 'agent_runtime.db'))).toBe(true);
  });
});

/** A job of its own process ends as it should. */
async function runsBackgroundWork(server: Parameters<typeof callTool>[0]): Promise<void> {
  const payload = { dataset: 'iris', epochs: 2 };
  const { data } = await callTool(server, 'submit_job', { type: 'ml_experiment', payload });
  const ended = await eventually('the job has ended', async () => {
    const { data: job } = await callTool(server, 'get_job_status', { job_id: data.job_id });
    return !['pending', 'running'].includes(job.status) && job;
  });
  expect(ended.status).toBe('completed');
}
