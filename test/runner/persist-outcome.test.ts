import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import type { Outcome } from '../../src/core/jobs/outcome.js';
import { createSpool, persistTurn } from '../../src/runner/persist-outcome.js';
import { completed, keyOf, type Queue, testQueue } from '../core/jobs/queue.js';
import { eventually } from '../support/eventually.js';
import { isOnPostgres } from '../support/postgres.js';
import { refuseWrites } from '../support/refuse-writes.js';
import { tempDir } from '../support/temp-dir.js';
import { background, session } from './fixtures/background.js';
import { gatedProvider } from './fixtures/gated-provider.js';
import { smallDisk } from './fixtures/small-disk.js';

async function blockedQueue() {
  const queue = await testQueue();
  const job = await queue.running();
  const { db, config } = queue.runtime;
  const spool = createSpool(config.dataDir);
  const file = join(config.dataDir, 'spool', `${job.id}.json`);
  return { queue, job, spool, file, unblock: await refuseWrites(db, { table: 'jobs' }) };
}

const needsOf = (queue: Queue, spool: ReturnType<typeof createSpool>) => ({ jobs: queue.jobs, spool, log: silentLog });

describe('an outcome that the database does not take', () => {
  it('is in a file from the first failure on, and in the database once it can be', async () => {
    const { queue, job, spool, file, unblock } = await blockedQueue();
    const kept = persistTurn('', [{ key: keyOf(job), outcome: completed }], 0, needsOf(queue, spool));
    await eventually('it is in a file', () => existsSync(file));
    await unblock();
    await kept;
    expect((await queue.row(job.id)).status).toBe('completed');
    expect(existsSync(file)).toBe(false);
  });

  it('stays in its file when the retries are over, for the process that rescues the job', async () => {
    const { queue, job, spool, file, unblock } = await blockedQueue();
    const impatient = { ...needsOf(queue, spool), patienceMs: 0 };
    await expect(persistTurn('', [{ key: keyOf(job), outcome: completed }], 0, impatient)).rejects.toThrow('disk full');
    expect(existsSync(file)).toBe(true);
    await unblock();
    queue.liveness.set((await queue.runnerRow(job.runner_id ?? '')).pid ?? 0, 'dead');
    await queue.jobs.rescue({ readSpooled: spool.read, forgetSpooled: spool.forget, endRunner: () => {} });
    expect(await queue.row(job.id)).toMatchObject({ status: 'completed', output: 'Done.' });
    expect(existsSync(file)).toBe(false);
  });
});

it('an outcome that the database takes leaves no file', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  const spool = createSpool(queue.runtime.config.dataDir);
  await persistTurn('', [{ key: keyOf(job), outcome: completed }], 0, needsOf(queue, spool));
  expect((await queue.row(job.id)).status).toBe('completed');
  expect(existsSync(join(queue.runtime.config.dataDir, 'spool'))).toBe(false);
});

const key = { jobId: 'job-1', token: 'token-1' };
const outcome: Outcome = { kind: 'completed', result: { a: 1 }, output: 'Paid for.' };

describe('an outcome that is saved to a file', () => {
  it('is for the attempt that it belongs to, and stays until it is forgotten', () => {
    const spool = createSpool(tempDir());
    spool.put(key, outcome);
    expect(spool.read({ ...key, token: 'another' })).toBeUndefined();
    expect(spool.read(key)).toEqual(outcome);
    expect(spool.read(key)).toEqual(outcome);
    spool.forget(key);
    expect(spool.read(key)).toBeUndefined();
  });

  it('can be read by its owner alone', () => {
    const spool = createSpool(tempDir());
    const path = spool.put(key, outcome);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('that was cut short by a full disk is no outcome', () => {
    const directory = tempDir();
    const spool = createSpool(directory);
    const path = spool.put(key, outcome);
    writeFileSync(path, '{"token":"token-1","outc');
    expect(spool.read(key)).toBeUndefined();
  });

  it('is read from a regular file in a directory of this user alone', ({ skip }) => {
    const directory = tempDir();
    const spool = createSpool(directory);
    const path = spool.put(key, outcome);
    renameSync(path, join(directory, 'elsewhere'));
    symlinkSync(join(directory, 'elsewhere'), path);
    expect(spool.read(key)).toBeUndefined();
    rmSync(path);
    // Nobody ever writes to it.
    execFileSync('mkfifo', [path]);
    expect(spool.read(key)).toBeUndefined();
    rmSync(path);
    renameSync(join(directory, 'spool'), join(directory, 'real'));
    symlinkSync(join(directory, 'real'), join(directory, 'spool'));
    renameSync(join(directory, 'elsewhere'), path);
    expect(spool.read(key)).toBeUndefined();
    rmSync(join(directory, 'spool'));
    renameSync(join(directory, 'real'), join(directory, 'spool'));
    expect(spool.read(key)).toEqual(outcome);
    if (process.getuid?.() !== 0) return skip('only root can give files away');
    chownSync(path, 12_345, 12_345);
    expect(spool.read(key)).toBeUndefined();
    chownSync(path, 0, 0);
    chownSync(join(directory, 'spool'), 12_345, 12_345);
    expect(spool.read(key)).toBeUndefined();
  });

  it('goes to another disk when the data directory cannot be written', () => {
    const directory = tempDir();
    // A file where the directory should be.
    writeFileSync(join(directory, 'spool'), '');
    const spool = createSpool(directory);
    const path = spool.put({ ...key, jobId: `test-${process.pid}` }, outcome);
    expect(path.startsWith(directory)).toBe(false);
    spool.forget({ ...key, jobId: `test-${process.pid}` });
    expect(readdirSync(join(path, '..')).filter((name) => name.startsWith(`test-${process.pid}`))).toEqual([]);
  });
});

it('a full disk of the logs costs log lines and no work', async ({ skip }) => {
  const disk = smallDisk(2);
  if (!disk) return skip('this machine allows no mounts');
  mkdirSync(join(disk.path, 'data', 'logs'), { recursive: true });
  writeFileSync(join(disk.path, 'data', 'logs', 'runner.log'), '');
  const runtime = await background({ env: { AGENT_RUNTIME_DATA_DIR: join(disk.path, 'data') } });
  disk.fill();
  const job = await runtime.ended(await runtime.ask('Hello'));
  expect(job).toMatchObject({ status: 'completed', attempt: 1 });
  expect(runtime.server.requests).toHaveLength(1);
  expect(await runtime.row(job.id)).toMatchObject({ crashes: 0 });
});

// The disk of SQLite's file.
describe.skipIf(isOnPostgres)('when the disk is full as the answer arrives (R10)', () => {
  /** More than what is left in the file that SQLite writes first. */
  const answer = 'A long answer. '.repeat(100_000);

  async function fullDisk() {
    const disk = smallDisk(12);
    if (!disk) return undefined;
    const home = tempDir();
    const provider = gatedProvider(home, answer);
    const runtime = await background({
      home,
      config: { providers: { custom: { gated: provider.path } } },
      env: { AGENT_RUNTIME_DB_PATH: join(disk.path, 'runtime.db') },
    });
    const id = await runtime.ask('Hello', { model: 'custom:gated' });
    await eventually('the model was asked', () => provider.asked() === 1);
    disk.fill();
    provider.open();
    const directory = join(runtime.config.dataDir, 'spool');
    const spooled = () => {
      try {
        return readdirSync(directory).filter((name) => name.endsWith('.json'));
      } catch {
        return [];
      }
    };
    await eventually('the answer is in a file', () => spooled().length === 1);
    expect((await runtime.jobs.get(id)).status).toBe('running');
    return { runtime, disk, id, provider, spooled };
  }

  it('it waits in a file, and is written once there is room again', async ({ skip }) => {
    const found = await fullDisk();
    if (!found) return skip('this machine allows no mounts');
    const { runtime, disk, id, provider, spooled } = found;
    disk.free();
    expect((await runtime.ended(id)).status).toBe('completed');
    expect((await runtime.jobs.output(id)).length).toBe(answer.length);
    await eventually('the file is gone', () => spooled().length === 0);
    expect(provider.asked()).toBe(1);
    expect(await runtime.db.check()).toBeUndefined();
  });

  it('and its runner is killed then, the process that rescues the job takes the answer over', async ({ skip }) => {
    const found = await fullDisk();
    if (!found) return skip('this machine allows no mounts');
    const { runtime, disk, id, provider, spooled } = found;
    const { pid } = await runtime.runnerOf(id);
    process.kill(pid, 'SIGKILL');
    // While it is full nothing is lost by trying.
    await runtime.jobs.sweep(session).catch(() => {});
    expect(spooled()).toHaveLength(1);
    disk.free();
    await eventually('the answer is adopted', async () => {
      await runtime.jobs.sweep(session);
      return (await runtime.jobs.status(id)) === 'completed';
    });
    expect(await runtime.jobs.get(id)).toMatchObject({ status: 'completed', crashes: 0 });
    expect((await runtime.jobs.output(id)).length).toBe(answer.length);
    expect(spooled()).toEqual([]);
    expect(provider.asked()).toBe(1);
  });
});

it('a spool directory in /tmp that belongs to someone else is not used', ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can make a directory of another user');
  const directory = tempDir();
  const data = join(directory, 'spool');
  mkdirSync(data);
  chmodSync(data, 0o777);
  const { chownSync } = process.getBuiltinModule('node:fs');
  chownSync(data, 12_345, 12_345);
  const path = createSpool(directory).put({ ...key, jobId: `foreign-${process.pid}` }, outcome);
  expect(path.startsWith(directory)).toBe(false);
  createSpool(directory).forget({ ...key, jobId: `foreign-${process.pid}` });
});
