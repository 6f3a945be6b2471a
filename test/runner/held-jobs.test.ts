import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { JobRow } from '../../src/core/jobs/job.js';
import { Beginnings, forgetBeginnings, hasNeverBegun } from '../../src/runner/beginnings.js';
import { runnerEnvironment } from '../../src/runner/environment.js';
import { HeldJobs } from '../../src/runner/held-jobs.js';
import { eventually } from '../support/eventually.js';
import { runnerEntry } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { background, scripted, session } from './fixtures/background.js';

const ended = (...durations: number[]) => durations.map((durationMs) => ({ durationMs }));
const job = (id: string) => ({ id }) as JobRow;

describe('a runner claims jobs ahead', () => {
  it('only while all that it could carry at once were short', () => {
    const held = new HeldJobs(() => {});
    expect(held.spare).toBe(0);
    held.judge(ended(1, 0, 3, 2), 4);
    expect(held.spare).toBeGreaterThan(0);
    held.judge(ended(1, 0, 3, 900), 4);
    expect(held.spare).toBe(0);
    held.judge(ended(1, 1, 1, 1), 4);
    held.judge(ended(1), 4);
    expect(held.spare).toBe(0);
    held.judge(ended(1), 1);
    expect(held.spare).toBe(0);
  });

  it('and needs no other runner while to write them takes longer than to do them', () => {
    const held = new HeldJobs(() => {});
    const judge = (...durations: number[]) => {
      held.judge(ended(...durations), 2);
      return held.isEnough;
    };
    const hour = 3_600_000;
    expect(judge(1, 1)).toBe(false);
    held.turned(hour);
    expect(judge(1, 1)).toBe(true);
    // Nothing that was begun before says what the next ones take.
    expect(judge(1, 900)).toBe(false);
    expect(judge(1, 1)).toBe(false);
    held.turned(0);
    expect(judge(1, 1)).toBe(false);
  });

  it('and has no other started before its first turns have shown whether it is enough', () => {
    const held = new HeldJobs(() => {});
    expect(held.isJudging).toBe(false);
    for (let turn = 1; turn < 8; turn++) {
      held.judge(ended(1, 1), 2);
      expect(held.isJudging).toBe(true);
    }
    held.judge(ended(1, 1), 2);
    expect(held.isJudging).toBe(false);
    held.judge(ended(1, 900), 2);
    held.judge(ended(1, 1), 2);
    expect(held.isJudging).toBe(true);
    held.turned(3_600_000);
    held.judge(ended(1, 1), 2);
    expect([held.isEnough, held.isJudging]).toEqual([true, false]);
  });

  it('begins them in their order, and hands them back when they wait for too long', async () => {
    const back: string[] = [];
    const held = new HeldJobs(() => back.push(...held.take().map(({ id }) => id)));
    held.judge(ended(1, 1), 2);
    held.hold(['a', 'b', 'c', 'd'].map(job));
    expect(held.next(2).map(({ id }) => id)).toEqual(['a', 'b']);
    held.watch();
    await eventually('the others are handed back', () => back.length > 0);
    expect(back).toEqual(['c', 'd']);
    held.judge(ended(1, 1), 2);
    expect(held.spare).toBe(0);
  });
});

describe('the record of what a runner has begun', () => {
  it('names each attempt before its code runs, and stays right however long it becomes', () => {
    const home = tempDir();
    const begun = new Beginnings(home, 'r1');
    expect(hasNeverBegun(home, 'r1', 'first')).toBe(true);
    begun.add('first');
    for (let number = 0; number < 20_000; number++) {
      begun.add(`token-${number}`);
      begun.settle(`token-${number}`);
    }
    begun.add('last');
    for (const token of ['first', 'last']) expect(hasNeverBegun(home, 'r1', token)).toBe(false);
    expect(hasNeverBegun(home, 'r1', 'fir')).toBe(true);
    forgetBeginnings(home, 'r1');
    expect(hasNeverBegun(home, 'r1', 'other')).toBe(false);
  });

  it('counts everything as begun where it cannot be written, and after its runner has ended', () => {
    const home = tempDir();
    new Beginnings('/dev/null/nowhere', 'r1').add('first');
    expect(hasNeverBegun('/dev/null/nowhere', 'r1', 'other')).toBe(false);
    const begun = new Beginnings(home, 'r2');
    begun.close();
    begun.add('late');
    expect(hasNeverBegun(home, 'r2', 'other')).toBe(false);
  });
});

it('a runner that is killed costs those jobs an attempt that it had begun, and no others', async () => {
  const carried = 4;
  // The process that the first submission starts ends at once; its runner is started by hand, when all jobs are there.
  const limits = { maxModelCalls: carried, callsPerRunner: carried };
  const runtime = await background({ entry: '/nowhere/job-runner.js', config: { limits } });
  for (let number = 0; number < carried; number++) await runtime.give('generic', {}, { priority: 9 });
  for (let number = 0; number < 4 * carried; number++) await runtime.ask(scripted({ pieces: ['x'], ending: 'hang' }));
  const [{ id: permit } = { id: '' }] = await runtime.runners();
  const runner = spawn(process.execPath, [runnerEntry, permit], {
    env: runnerEnvironment(runtime.config),
    stdio: 'ignore',
  });
  const end = new Promise((resolve) => runner.once('exit', resolve));
  await eventually('as many calls are under way as it carries', () => runtime.server.requests.length === carried);
  runner.kill('SIGKILL');
  await end;
  await runtime.jobs.sweep(session);
  const rows = await runtime.db.all(
    'select type, status, tries, crashes, count(*) as jobs from jobs group by type, status, tries, crashes order by type, tries',
  );
  expect(rows).toEqual([
    { type: 'generic', status: 'completed', tries: 1, crashes: 0, jobs: carried },
    { type: 'llm', status: 'pending', tries: 0, crashes: 0, jobs: 3 * carried },
    { type: 'llm', status: 'pending', tries: 1, crashes: 1, jobs: carried },
  ]);
});
