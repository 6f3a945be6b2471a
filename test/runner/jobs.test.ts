import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLive } from '../../src/core/jobs/runners.js';
import { buildChild, startChild } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { jobStoreOf } from '../support/job-store.js';
import { projectRoot, runnerEntry } from '../support/paths.js';
import { databaseEnv, isOnPostgres } from '../support/postgres.js';
import { background, scripted, session } from './fixtures/background.js';
import { shiftedClock } from './fixtures/shifted-clock.js';

describe('a session that dies', () => {
  it('just after it took a permit and before its runner came up, delays the job by half a minute and no more (R7)', async () => {
    const clock = shiftedClock();
    const runtime = await background({ clock });
    // As a server would that is killed between the two.
    const { job, runnerId } = await jobStoreOf(runtime).submit({ type: 'generic', payload: {} }, session);
    expect(runnerId).toBeDefined();
    await runtime.jobs.sweep(session);
    expect((await runtime.jobs.get(job.id)).status).toBe('pending');
    clock.pass(31_000);
    await runtime.jobs.sweep(session);
    expect((await runtime.ended(job.id)).status).toBe('completed');
  });

  it('by SIGKILL in the middle of submitting leaves every job that it has named in the queue', async () => {
    const runtime = await background();
    const path = await buildChild(join(projectRoot, 'test', 'runner', 'fixtures', 'submitter.ts'));
    const env = { HOME: runtime.home, RUNNER_ENTRY: runnerEntry, ...(await databaseEnv(runtime.home)) };
    const child = startChild(path, [], env);
    let named = '';
    child.process.stdout?.on('data', (data: Buffer) => {
      named += data.toString();
    });
    await eventually('it has submitted some', () => named.split('\n').length > 20);
    child.process.kill('SIGKILL');
    await child.ended;
    const ids = named.split('\n').slice(0, -1);
    for (const id of ids) expect(await runtime.jobs.status(id)).toMatch(/pending|running|completed/);
    await eventually('all are done', async () => {
      await runtime.jobs.sweep(session);
      const open = await runtime.db.all("select id from jobs where status <> 'completed'");
      return open.length === 0;
    });
  });
});

it('a runner that cannot be started is written off at once, and the next sweep tries again', async () => {
  const runtime = await background();
  const { config } = runtime;
  // A file where the log's directory should be.
  rmSync(join(config.dataDir, 'logs'), { recursive: true, force: true });
  mkdirSync(dirname(config.dataDir), { recursive: true });
  writeFileSync(config.dataDir, '');
  const id = await runtime.give('generic');
  expect((await runtime.runners())[0]).toMatchObject({ state: 'lost' });
  expect((await runtime.jobs.get(id)).status).toBe('pending');
  rmSync(config.dataDir);
  await runtime.jobs.sweep(session);
  expect((await runtime.ended(id)).status).toBe('completed');
});

it('a runner whose database is gone leaves without a word to anyone', async () => {
  const runtime = await background({ entry: '/nowhere/job-runner.js' });
  const { runnerId = '' } = await jobStoreOf(runtime).submit({ type: 'generic', payload: {} }, session);
  const elsewhere = join(runtime.home, 'elsewhere.db');
  const env = { HOME: runtime.home, AGENT_RUNTIME_DB_PATH: elsewhere };
  const { code, stderr } = await startChild(runnerEntry, [runnerId], env).ended;
  expect({ code, hasWarned: stderr.includes('no permit') }).toEqual({ code: 0, hasWarned: true });
  rmSync(elsewhere, { force: true });
});

// A server's database is not taken away by a move.
it.skipIf(isOnPostgres)(
  'a runner whose database is taken away while it waits leaves, rather than wait for nothing',
  async () => {
    const runtime = await background();
    await runtime.give('generic', {}, { runAt: Date.now() + 60_000 });
    const waiting = await eventually('a runner waits', async () =>
      (await runtime.runners()).find(({ state }) => state === 'waiting'),
    );
    const directory = join(runtime.config.dbPath, '..');
    renameSync(directory, `${directory}-moved`);
    await eventually('it is gone', () => !isAlive(waiting.pid ?? 0));
    renameSync(`${directory}-moved`, directory);
  },
);

it('a runner whose database cannot be opened says why in its log and ends with an error', async () => {
  const runtime = await background();
  const broken = join(runtime.home, 'broken.db');
  writeFileSync(broken, 'This is no database. '.repeat(100));
  const env = { HOME: runtime.home, AGENT_RUNTIME_DB_PATH: broken };
  const { code, stderr } = await startChild(runnerEntry, ['any'], env).ended;
  expect(code).not.toBe(0);
  expect(stderr).toContain(broken);
});

describe('the log of the runners', () => {
  it('is private, whatever the mask and however it was made', async () => {
    const runtime = await background();
    const file = join(runtime.config.dataDir, 'logs', 'runner.log');
    await runtime.ended(await runtime.give('generic'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
    await runtime.idle();
    rmSync(file);
    writeFileSync(file, 'older\n', { mode: 0o644 });
    await runtime.ended(await runtime.give('generic'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^older\n\{.*job_started/s);
  });

  it('begins anew when it has grown long, and the one before is kept', async () => {
    const runtime = await background();
    const file = join(runtime.config.dataDir, 'logs', 'runner.log');
    await runtime.ended(await runtime.give('generic'));
    await runtime.idle();
    writeFileSync(file, 'x'.repeat(10_000_001));
    await runtime.ended(await runtime.give('generic'));
    expect(statSync(`${file}.1`).size).toBe(10_000_001);
    expect(readFileSync(file, 'utf8')).toMatch(/^\{.*job_started/);
  });
});

it('a sweep that finds nothing to do writes nothing', async () => {
  const runtime = await background();
  await runtime.jobs.sweep(session);
  const { changes } = (await runtime.db.get<{ changes: number }>('select count(*) as changes from events')) ?? {};
  await runtime.jobs.sweep(session);
  expect(await runtime.db.get('select count(*) as changes from events')).toEqual({ changes });
  expect(await runtime.runners()).toEqual([]);
});

it('one runner is started for calls that it can carry together', async () => {
  const runtime = await background();
  const ids = [await runtime.ask(scripted({ together: 2 })), await runtime.ask(scripted({ together: 2 }))];
  for (const id of ids) await runtime.ended(id);
  await runtime.idle();
  expect(await runtime.runners()).toHaveLength(1);
  expect(await runtime.db.get(`select 1 from runners where ${isLive}`)).toBeUndefined();
  expect(existsSync(join(runtime.config.dataDir, 'spool'))).toBe(false);
});
