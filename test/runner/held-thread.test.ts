import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { submitJob } from '../../src/services/submit-job.js';
import { homeWithModules, plainAgent } from '../agents/modules/workshop.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { tempDir } from '../support/temp-dir.js';
import { background, session } from './fixtures/background.js';

/** After this the queue takes an attempt for overdue, whatever its runner does. */
const overdueMs = 30_000;

describe('a job that holds the thread of its runner', () => {
  it('is ended when its time is over, and not only when the queue takes it for overdue', async () => {
    const home = homeWithModules({ 'a.mjs': plainAgent('loops', 'for (;;);') });
    const runtime = await background({ home });
    const request = { type: 'loops', payload: {}, timeout_seconds: 8, max_attempts: 1 };
    const { job } = await submitJob(request, session, runtime);
    const ended = await runtime.ended(job.id);
    expect(ended).toMatchObject({ status: 'failed', errorCode: 'timeout', tries: 1, crashes: 0, isDead: false });
    expect(ended.errorMessage).toBe('It took longer than its 8 s, and held the thread of its runner, which was ended.');
    const [attempt] = await runtime.jobs.attempts(job.id);
    expect((attempt?.endedAt ?? 0) - (attempt?.startedAt ?? 0)).toBeLessThan(8_000 + overdueMs);
  });

  it('is tried again, with the try counted and no crash', async () => {
    const body = "if (job.attempt === 1) for (;;); return 'done';";
    const home = homeWithModules({ 'a.mjs': plainAgent('loops_once', body) });
    const runtime = await background({ home });
    const request = { type: 'loops_once', payload: {}, timeout_seconds: 3, max_attempts: 10 };
    const { job } = await submitJob(request, session, runtime);
    expect(await runtime.ended(job.id)).toMatchObject({ status: 'completed', crashes: 0 });
    expect((await runtime.jobs.attempts(job.id))[0]).toMatchObject({ outcome: 'failed', errorCode: 'timeout' });
    expect(await runtime.events(job.id)).not.toContain('died');
    const { tries, attempt } = await runtime.jobs.get(job.id);
    expect(tries).toBe(attempt);
  });

  it('for long, but comes back within its time, has completed', async () => {
    const body = "for (const until = Date.now() + 3_000; Date.now() < until;); return 'done';";
    const home = homeWithModules({ 'a.mjs': plainAgent('busy', body) });
    const runtime = await background({ home });
    const { job } = await submitJob({ type: 'busy', payload: {}, timeout_seconds: 600 }, session, runtime);
    expect(await runtime.ended(job.id)).toMatchObject({ status: 'completed', tries: 1, crashes: 0 });
  });

  it('while it stops at its limit, is given the time that any agent has to stop', async () => {
    const body = `await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      for (const until = Date.now() + 3_000; Date.now() < until;);
      context.partial({ kept: true });
      return 'too late';`;
    const home = homeWithModules({ 'a.mjs': plainAgent('tidies', body) });
    const runtime = await background({ home });
    const request = { type: 'tidies', payload: {}, timeout_seconds: 8, max_attempts: 1 };
    const { job } = await submitJob(request, session, runtime);
    expect(await runtime.ended(job.id)).toMatchObject({ status: 'completed', result: 'too late', tries: 1 });
  });
});

describe('a command that does not end', () => {
  it('is ended when its time is over', async () => {
    const loop = { program: process.execPath, args: ['-e', 'for (;;);'] };
    const runtime = await background({ config: { commands: { loop } } });
    const id = await runtime.give(
      'command',
      { command: 'loop' },
      { requires: 'command:loop', timeoutSeconds: 1, maxAttempts: 1 },
    );
    expect(await runtime.ended(id)).toMatchObject({ status: 'failed', errorCode: 'timeout', tries: 1, crashes: 0 });
  });
});

describe('a runner that was killed', () => {
  it.each([['status'], ['get'], ['progress']] as const)('is noticed by the next %s of its job', async (read) => {
    const begun = join(tempDir(), 'begun');
    const body = `(await import('node:fs')).writeFileSync(${JSON.stringify(begun)}, '');
      await new Promise((done) => setTimeout(done, 1e6));`;
    const runtime = await background({ home: homeWithModules({ 'a.mjs': plainAgent('waits', body) }) });
    const { job } = await submitJob({ type: 'waits', payload: {}, max_attempts: 1 }, session, runtime);
    const { pid } = await runtime.runnerOf(job.id);
    // A job that was claimed and not begun goes back to the queue uncounted.
    await eventually('it has begun', () => existsSync(begun));
    process.kill(pid, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(pid));
    await eventually('its job has ended', async () => {
      await runtime.jobs[read](job.id);
      return (await runtime.row(job.id)).crashes === 1;
    });
    expect((await runtime.jobs.attempts(job.id))[0]).toMatchObject({ outcome: 'lost', errorCode: 'runner_lost' });
  });
});
