import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBudget } from '../../src/core/budget/ledger.js';
import { runnerEnvironment } from '../../src/runner/environment.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { jobStoreOf } from '../support/job-store.js';
import { projectRoot, runnerEntry } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { background, scripted, session } from './fixtures/background.js';
import { gatedProvider } from './fixtures/gated-provider.js';
import { holdLock } from './fixtures/hold-lock.js';
import { shiftedClock, untilNextTry } from './fixtures/shifted-clock.js';

const fakeClaude = join(projectRoot, 'test', 'fixtures', 'models', 'fake-claude.mjs');

/** Lets the next try of a job be due now. */
const dueNow = "update jobs set run_at = 0, run_tick = 0 where status = 'pending'";

describe('a runner that is killed with SIGKILL', () => {
  it('between the answer and its writing: the job runs again, and has one outcome (R3)', async () => {
    const home = tempDir();
    const provider = gatedProvider(home, 'The answer');
    const runtime = await background({ home, config: { providers: { custom: { gated: provider.path } } } });
    const id = await runtime.ask('Hello', { model: 'custom:gated', token_budget: 50_000 });
    const { pid } = await runtime.runnerOf(id);
    await eventually('the model was asked', () => provider.asked() === 1);
    const release = await holdLock(runtime);
    provider.open();
    await eventually('the answer is in the hands of the runner', () => provider.answered() === 1);
    process.kill(pid, 'SIGKILL');
    release();
    await eventually('the runner is found gone', async () => {
      await runtime.jobs.sweep(session);
      return (await runtime.jobs.get(id)).crashes === 1;
    });
    await runtime.db.run(dueNow);
    await runtime.jobs.sweep(session);
    expect((await runtime.ended(id)).status).toBe('completed');
    expect(await runtime.events(id)).toEqual(['submitted', 'started', 'retrying', 'started', 'completed']);
    expect(provider.asked()).toBe(2);
    expect(await runtime.jobs.output(id)).toBe('The answer');
    // Both calls were charged, the lost one as far as anyone can tell, and nothing is left promised.
    const job = await runtime.jobs.get(id);
    const budget = await readBudget(runtime.db, `job:${id}`);
    expect(budget).toMatchObject({ reserved: 0, spent: job.inputTokens + job.outputTokens });
    const attempts = await runtime.jobs.attempts(id);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'completed']);
    expect(attempts.every(({ inputTokens }) => inputTokens > 0)).toBe(true);
  });

  it('takes the programs with it that its agent had started, in whatever groups they are', async () => {
    const clock = shiftedClock();
    const runtime = await background({ clock, config: { providers: { 'claude-code': { command: fakeClaude } } } });
    const record = join(runtime.home, 'record.json');
    const id = await runtime.ask(`Go on. [[claude stubborn]] [[record ${record}]]`, { model: 'claude-code:sonnet' });
    const { pid } = await runtime.runnerOf(id);
    const started = await eventually('the program runs', () => readRecord(record));
    const pids = [started.pid, started.childPid];
    process.kill(pid, 'SIGKILL');
    await eventually('the runner is gone', () => !isAlive(pid));
    expect(pids.every(isAlive)).toBe(true);
    clock.pass(untilNextTry);
    await runtime.jobs.sweep(session);
    await eventually('so are its programs', () => !pids.some(isAlive));
    expect(await runtime.row(id)).toMatchObject({ status: 'pending', error_code: 'runner_lost' });
  });
});

describe('a runner that is stopped, and not for a cancellation', () => {
  it('gives its job back, which costs no try, and keeps what had arrived', async () => {
    const runtime = await background();
    const pieces = ['One ', 'two ', 'three ', 'four.'];
    const id = await runtime.ask(scripted({ pieces, heldAt: 2 }), { max_attempts: 1 });
    const { pid } = await runtime.runnerOf(id);
    await eventually('a part has arrived', () => runtime.jobs.output(id));
    process.kill(pid, 'SIGTERM');
    await runtime.idle();
    expect(await runtime.jobs.get(id)).toMatchObject({ status: 'pending', tries: 0, crashes: 0 });
    expect(await runtime.jobs.output(id)).not.toBe('');
    expect(runtime.server.requests[0]?.isAborted).toBe(true);
    runtime.server.letGo();
    await runtime.jobs.sweep(session);
    expect((await runtime.ended(id)).status).toBe('completed');
    expect(await runtime.jobs.output(id)).toBe(pieces.join(''));
  });

  it('while it waits for its next job, leaves', async () => {
    const runtime = await background();
    await runtime.give('generic', {}, { runAt: Date.now() + 60_000 });
    const waiting = await eventually('a runner waits', async () =>
      (await runtime.runners()).find(({ state }) => state === 'waiting'),
    );
    process.kill(waiting.pid ?? 0, 'SIGTERM');
    await runtime.idle();
    expect(await runtime.runners()).toMatchObject([{ state: 'exited' }]);
  });
});

describe('a runner that is stopped with SIGSTOP', () => {
  it('is left alone while its attempt has time; then its group is killed and the job tried once more (R6)', async () => {
    const clock = shiftedClock();
    const runtime = await background({ clock });
    const id = await runtime.ask(scripted({ isHeld: true }), { timeout_seconds: 120 });
    const { pid } = await runtime.runnerOf(id);
    await eventually('the model was asked', () => runtime.server.requests.length === 1);
    process.kill(pid, 'SIGSTOP');
    clock.pass(100_000);
    await runtime.jobs.sweep(session);
    expect((await runtime.row(id)).status).toBe('running');
    clock.pass(60_000);
    await runtime.jobs.sweep(session);
    await eventually('it is gone', () => !isAlive(pid));
    expect(await runtime.row(id)).toMatchObject({ error_code: 'timeout', tries: 1 });
    runtime.server.letGo();
    await runtime.db.run(dueNow);
    await runtime.jobs.sweep(session);
    expect(await runtime.ended(id)).toMatchObject({ status: 'completed', tries: 2, crashes: 0 });
  });
});

describe('a runner in another pid namespace', () => {
  it('is not taken for dead because its pid means nothing here, only for a minute of silence (R9)', async ({
    skip,
  }) => {
    const clock = shiftedClock();
    const runtime = await background({ clock });
    const { job, runnerId } = await jobStoreOf(runtime).submit(
      { type: 'llm', payload: { prompt: scripted({ silent: true }), model: 'claude-sonnet-5-5' } },
      session,
    );
    const contained = spawn(
      'unshare',
      ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, runnerEntry, runnerId ?? ''],
      { env: { ...runnerEnvironment(runtime.config), ANTHROPIC_BASE_URL: runtime.server.url }, stdio: 'ignore' },
    );
    onTestFinished(() => void contained.kill('SIGKILL'));
    const isRefused = await Promise.race([
      new Promise<boolean>((resolve) => contained.once('exit', () => resolve(true))),
      eventually('it has come up', async () => (await runtime.runners())[0]?.pid).then(() => false),
    ]);
    if (isRefused) skip('this machine allows no pid namespaces');
    const row = await eventually('it works on the job', async () => {
      const [runner] = await runtime.runners();
      return (await runtime.row(job.id)).status === 'running' ? runner : undefined;
    });
    expect(row.pid).toBeLessThan(10);
    await runtime.jobs.sweep(session);
    expect((await runtime.row(job.id)).status).toBe('running');
    // And its pid is no reason to signal whoever bears it here.
    const cancelling = jobStoreOf(runtime).cancel(job.id, session);
    expect((await cancelling).working[0]?.runner.pidNamespace).not.toBe('');
    contained.kill('SIGKILL');
    clock.pass(61_000);
    await runtime.jobs.sweep(session);
    expect((await runtime.row(job.id)).status).toBe('cancelled');
  });
});

function readRecord(path: string): { pid: number; childPid: number } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
