import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runnerEnvironment } from '../../src/runner/environment.js';
import { jobStoreOf } from '../support/job-store.js';
import { runnerEntry } from '../support/paths.js';
import { isOnPostgres } from '../support/postgres.js';
import { testRuntime } from '../support/test-runtime.js';
import { session } from './fixtures/background.js';

const count = 96;

/** A queue of jobs that do nothing, and the permit of the runner that is to drain it. */
async function fullQueue() {
  const runtime = await testRuntime();
  const store = jobStoreOf(runtime);
  let permit = '';
  for (let job = 0; job < count; job++) {
    const { runnerId } = await store.submit({ type: 'generic', payload: { job } }, session);
    permit ||= runnerId ?? '';
  }
  const completed = () =>
    runtime.db.all<{ id: string; at: number }>("select id, completed_at as at from jobs where status = 'completed'");
  return { runtime, permit, completed, env: runnerEnvironment(runtime.config) };
}

const hasStrace = (): boolean => {
  try {
    return execFileSync('strace', ['-V'], { stdio: 'pipe' }).length > 0;
  } catch {
    return false;
  }
};

/** When a sync of the process had ended, epoch milliseconds. */
function syncsIn(trace: string): number[] {
  const ended = /^(?:\d+\s+)?(\d+\.\d+) (?:fdatasync|fsync)\(.*<(\d+\.\d+)>$/gm;
  return [...readFileSync(trace, 'utf8').matchAll(ended)].map(([, at, took]) => (Number(at) + Number(took)) * 1_000);
}

it('an outcome is synced to the disk before anyone sees it, and those that end together by one sync', async ({
  skip,
}) => {
  if (isOnPostgres) return skip('the server syncs there, not the runner');
  if (!hasStrace()) {
    process.stderr.write('Skipped: strace is not installed, so the syncs of a runner cannot be counted.\n');
    return skip('strace is not installed');
  }
  const { runtime, permit, completed, env } = await fullQueue();
  const trace = join(runtime.home, 'syncs');
  const options = ['-f', '-ttt', '-T', '-e', 'trace=fdatasync,fsync', '-o', trace];
  const runner = spawn('strace', [...options, process.execPath, runnerEntry, permit], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => runner.once('exit', resolve));
  const seenAt: { at: number; transactions: number }[] = [];
  for (let seen = 0; seen < count; await sleep(1)) {
    const rows = await completed();
    // Those of one transaction have ended at the same time.
    const transactions = new Set(rows.map(({ at }) => at)).size;
    if (rows.length > seen) seenAt.push({ at: Date.now(), transactions });
    seen = rows.length;
  }
  await ended;
  const syncs = syncsIn(trace);
  const first = Number((await runtime.db.get<{ at: number }>('select min(started_at) as at from jobs'))?.at);
  const during = syncs.filter((at) => at >= first);
  // At least sixteen at once are one transaction, and a checkpoint syncs twice more.
  expect(during.length).toBeLessThan(count / 2);
  for (const { at, transactions } of seenAt) {
    expect(during.filter((sync) => sync <= at + 1).length).toBeGreaterThanOrEqual(transactions);
  }
});

it('what was seen as completed stays so when the runner is killed, and the rest is done once', async () => {
  const { runtime, permit, completed, env } = await fullQueue();
  const runner = spawn(process.execPath, [runnerEntry, permit], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => runner.once('exit', resolve));
  let seen: { id: string }[] = [];
  while (seen.length === 0) {
    await sleep(1);
    seen = await completed();
  }
  runner.kill('SIGKILL');
  await ended;
  const kept = new Set((await completed()).map(({ id }) => id));
  expect(seen.filter(({ id }) => !kept.has(id))).toEqual([]);
  while ((await completed()).length < count) {
    await runtime.jobs.sweep(session);
    await runtime.db.run("update jobs set run_at = 0, run_tick = 0 where status = 'pending'");
    await sleep(50);
  }
  const ends = await runtime.db.all<{ subject_id: string }>("select subject_id from events where type = 'completed'");
  expect(new Set(ends.map(({ subject_id }) => subject_id)).size).toBe(count);
  expect(ends).toHaveLength(count);
});
