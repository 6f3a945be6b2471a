import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildChild } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { projectRoot } from '../support/paths.js';
import { type Background, background } from './fixtures/background.js';

const source = join(projectRoot, 'test', 'runner', 'fixtures', 'odd-agents.ts');

async function oddBackground(): Promise<Background> {
  return background({ entry: await buildChild(source) });
}

interface Recorded {
  pid: number;
  attempt: number;
  children: number[];
}

function readRecord(path: string): Recorded[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}

describe('an agent that never settles', () => {
  it('is ended with its group when its time is over, and the queue goes to a successor', async () => {
    const runtime = await oddBackground();
    const record = join(runtime.home, 'record');
    const stuck = await runtime.give(
      'generic',
      { how: 'starts-children', record },
      { timeoutSeconds: 6, maxAttempts: 1 },
    );
    const queued = await runtime.give('generic', { how: 'sleeps' }, { dependsOn: [] });
    const job = await runtime.ended(stuck);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'timeout' });
    expect(job.errorMessage).toBe('Attempt 1 took longer than its 6 s.');
    expect(await runtime.jobs.output(stuck)).toBe('Begun. ');
    const [recorded] = readRecord(record);
    const pids = [recorded?.pid ?? 0, ...(recorded?.children ?? [])];
    await eventually('the process and its children are gone', () => pids.every((pid) => !isAlive(pid)));
    expect((await runtime.ended(queued)).status).toBe('completed');
  });

  it('and is cancelled, is cancelled all the same', async () => {
    const runtime = await oddBackground();
    const id = await runtime.give('generic', { how: 'never-settles' });
    const { pid } = await runtime.runnerOf(id);
    const job = await runtime.jobs.cancel(id, { holder: null, project: '' });
    expect(job.status).toBe('cancelled');
    await eventually('its process is gone', () => !isAlive(pid));
  });
});

describe('an agent that holds the thread', () => {
  it('is killed when it is cancelled, and costs no crash', async () => {
    const runtime = await oddBackground();
    const id = await runtime.give('generic', { how: 'blocks', ms: 60_000 });
    const { pid } = await runtime.runnerOf(id);
    const job = await runtime.jobs.cancel(id, { holder: null, project: '' });
    expect(job).toMatchObject({ status: 'cancelled', crashes: 0 });
    expect(isAlive(pid)).toBe(false);
  });
});

describe('an uncaught error', () => {
  it.each([
    ['throws-later', 'thrown in a timer'],
    ['rejects-later', 'rejected and forgotten'],
  ])('fails the job with its message, and its runner leaves the queue to a successor (%s)', async (how, message) => {
    const runtime = await oddBackground();
    const id = await runtime.give('generic', { how });
    const { pid } = await runtime.runnerOf(id);
    const next = await runtime.give('generic', { how: 'sleeps', ms: 10 });
    const job = await runtime.ended(id);
    expect(job).toMatchObject({ status: 'failed', errorCode: 'internal', crashes: 0 });
    expect(job.errorMessage).toContain(`Uncaught error: ${message}`);
    expect(job.errorMessage).not.toContain('sk-ant-secret');
    expect((await runtime.ended(next)).status).toBe('completed');
    await eventually('its process is gone', () => !isAlive(pid));
  });

  it('does not undo a job that completes in spite of it, and shows as a warning', async () => {
    const runtime = await oddBackground();
    const id = await runtime.give('generic', { how: 'throws-but-works' });
    const job = await runtime.ended(id);
    expect(job).toMatchObject({ status: 'completed', result: 'works' });
    expect(job.warnings).toEqual(['An error went uncaught while the job ran: thrown in a timer']);
  });
});

it('a result that JSON cannot hold fails the job, naming the place', async () => {
  const runtime = await oddBackground();
  const job = await runtime.ended(await runtime.give('generic', { how: 'returns-nan' }));
  expect(job).toMatchObject({ status: 'failed', errorCode: 'invalid_output' });
  expect(job.errorMessage).toContain('score is NaN');
});

it('a job that kills its runner is tried again, and is dead after three times (R13)', async () => {
  const runtime = await oddBackground();
  const record = join(runtime.home, 'record');
  const id = await runtime.give('generic', { how: 'crashes', record }, { maxAttempts: 9 });
  for (let crash = 1; crash <= 3; crash++) {
    await eventually(`crash ${crash} is noticed`, async () => {
      await runtime.db.run('update jobs set run_at = 0, run_tick = 0 where status = ?', 'pending');
      await runtime.jobs.sweep({ holder: null, project: '' });
      return (await runtime.jobs.get(id)).crashes >= crash;
    });
  }
  expect(await runtime.jobs.get(id)).toMatchObject({ status: 'failed', isDead: true, errorCode: 'runner_lost' });
  expect(readRecord(record).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  const attempts = await runtime.jobs.attempts(id);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'lost', 'lost']);
});
