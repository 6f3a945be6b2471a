import { chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp-dir.js';
import { callTool, makesTask, nobody, requires, serverUnder } from './server-under.js';

const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];

describe('a server that may', () => {
  it('open 96 files works, over many calls', async (context) => {
    requires(context, 'prlimit', '--nofile=96', 'true');
    const server = await serverUnder(['prlimit', '--nofile=96'], tempDir());
    for (let call = 0; call < 30; call++) await makesTask(server, `task ${call}`);
    const { data } = await callTool(server, 'backup_database');
    expect(data.path).toContain('backups');
  });

  it('open no file more says so by name, and works again once it may', async (context) => {
    requires(context, 'prlimit', '--nofile=48', 'true');
    const server = await serverUnder([], tempDir());
    await makesTask(server, 'before');
    const used = readdirSync(`/proc/${server.pid}/fd`).length;
    requires(context, 'prlimit', `--pid=${server.pid}`, `--nofile=${used - 1}:`);
    const refused = await callTool(server, 'backup_database');
    expect(refused).toMatchObject({ isError: true, data: { code: 'unavailable', message: expect.any(String) } });
    requires(context, 'prlimit', `--pid=${server.pid}`, '--nofile=1024:');
    await makesTask(server, 'after');
    expect((await callTool(server, 'backup_database')).isError).toBe(false);
  });

  it('start no process keeps its board, and leaves a background task waiting with the reason', async (context) => {
    requires(context, ...asNobody, 'true');
    const home = tempDir();
    chownSync(home, nobody, nobody);
    // The threads of Node itself count too: the limit comes once the server has them.
    const server = await serverUnder(asNobody, home, { ANTHROPIC_API_KEY: 'sk-ant-0001' });
    await makesTask(server, 'before');
    requires(context, ...asNobody, 'prlimit', `--pid=${server.pid}`, '--nproc=1');
    const submitted = await callTool(server, 'submit_background_task', { task_description: 'Say hello.' });
    await makesTask(server, 'after');
    if (submitted.isError) expect(submitted.data.code).toBe('unavailable');
    else {
      const { data } = await callTool(server, 'get_job_status', { job_id: submitted.data.task_id });
      expect(data.status).toBe('pending');
    }
  });

  it('use 40 MB for its objects works over many calls', async () => {
    const server = await serverUnder([], tempDir(), { NODE_OPTIONS: '--max-old-space-size=40' });
    const tasks = Array.from({ length: 200 }, (_, index) => ({
      title: `task ${index}`,
      description: 'x'.repeat(2_000),
    }));
    for (let call = 0; call < 10; call++) {
      expect((await callTool(server, 'create_tasks', { tasks })).isError).toBe(false);
      expect((await callTool(server, 'list_tasks', { limit: 50 })).data.count).toBe(50);
    }
  });

  it('write files of 2 MB at most says so, keeps what it has, and works again once it may', async (context) => {
    requires(context, 'prlimit', '--fsize=2000000', 'true');
    const server = await serverUnder([], tempDir());
    await makesTask(server, 'before');
    requires(context, 'prlimit', `--pid=${server.pid}`, '--fsize=2000000:');
    const tasks = Array.from({ length: 200 }, (_, index) => ({
      title: `task ${index}`,
      description: 'x'.repeat(20_000),
    }));
    const refused = await callTool(server, 'create_tasks', { tasks });
    expect(refused).toMatchObject({ isError: true, data: { code: 'unavailable' } });
    expect((await callTool(server, 'list_tasks', { limit: 50 })).data.count).toBe(1);
    requires(context, 'prlimit', `--pid=${server.pid}`, '--fsize=unlimited:');
    expect((await callTool(server, 'create_tasks', { tasks })).isError).toBe(false);
  });
});

describe('another user', () => {
  it('who may not read the database is told which file, and nothing of it', async (context) => {
    requires(context, ...asNobody, 'true');
    const data = join(tempDir(), 'data');
    mkdirSync(data, { mode: 0o700 });
    const env = { AGENT_RUNTIME_DB_PATH: join(data, 'board.db') };
    await makesTask(await serverUnder([], tempDir(), env), 'a secret plan');
    const home = tempDir();
    chownSync(home, nobody, nobody);
    const other = await serverUnder(asNobody, home, env);
    const refused = await callTool(other, 'list_tasks');
    expect(refused).toMatchObject({ isError: true, data: { code: 'unavailable' } });
    expect(refused.data.message).toContain(env.AGENT_RUNTIME_DB_PATH);
    expect(JSON.stringify(refused.data)).not.toContain('secret');
  });

  it('who starts a server in the home of another makes nothing there, and says which path', async (context) => {
    requires(context, ...asNobody, 'true');
    const home = tempDir();
    const server = await serverUnder(asNobody, home);
    const refused = await callTool(server, 'create_task', { title: 'x' });
    expect(refused.isError).toBe(true);
    expect(refused.data.message).toContain(home);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('another namespace', () => {
  it('of processes: sessions inside and outside share a board, and neither takes the other for dead', async (context) => {
    requires(context, 'unshare', '--pid', '--fork', 'true');
    const home = tempDir();
    const outside = await serverUnder([], home);
    const inside = await serverUnder(['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'], home);
    await makesTask(outside, 'one');
    await makesTask(outside, 'two');
    const claims = [await callTool(outside, 'claim_next_task'), await callTool(inside, 'claim_next_task')];
    expect(claims.map(({ data }) => data.title).sort()).toEqual(['one', 'two']);
    // Each of them looks for dead sessions when it begins; the claims of the other must outlive that.
    const third = await serverUnder(['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'], home);
    await eventually('the third has begun', async () => {
      const { data } = await callTool(third, 'runtime_status');
      return JSON.stringify(data).includes('session');
    });
    const { data } = await callTool(third, 'list_tasks', { status: 'in_progress' });
    expect(data.count).toBe(2);
  });

  it('without a network: the board works, and a call of a model says that the provider cannot be reached', async (context) => {
    requires(context, 'unshare', '--net', 'true');
    const home = tempDir();
    const env = { ANTHROPIC_API_KEY: 'sk-ant-0001', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
    const server = await serverUnder(['unshare', '--net'], home, env);
    await makesTask(server, 'one');
    const { data } = await callTool(server, 'submit_background_task', { task_description: 'Hi.', max_attempts: 1 });
    const ended = await eventually('the task has ended', async () => {
      const { data: job } = await callTool(server, 'get_job_status', { job_id: data.task_id });
      return job.status === 'failed' && job;
    });
    expect(ended.error).toMatchObject({ message: expect.stringContaining('127.0.0.1:9') });
  });
});
