import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { afterWorking, DeadlinePassed, withDeadline } from '../../src/base/deadline.js';
import { buildChild, startChild } from '../support/child.js';
import { projectRoot } from '../support/paths.js';

function endless(): never {
  for (;;);
}

it('returns what the work returns, and throws what it throws', () => {
  const answer = { a: 1 };
  expect(withDeadline(1_000, () => answer)).toBe(answer);
  const failure = new RangeError('no');
  expect(() =>
    withDeadline(1_000, () => {
      throw failure;
    }),
  ).toThrow(failure);
});

it.each([
  ['a pattern with nested repetition', () => /^(a+)+$/.test(`${'a'.repeat(40)}!`)],
  ['a pattern with two repetitions that may share', () => /^(?:a|a)*$/.test(`${'a'.repeat(60)}!`)],
  ['a loop', endless],
])('ends %s in its middle', (_, work) => {
  expect(() => withDeadline(100, work as () => unknown)).toThrow(DeadlinePassed);
});

it('does not count the time that the machine gives to others', async () => {
  const child = startChild(await buildChild(join(projectRoot, 'test/base/children/work.ts')), []);
  const { stdout, pid = 0 } = child.process;
  await once(stdout ?? process.stdin, 'data');
  process.kill(pid, 'SIGSTOP');
  await sleep(700);
  process.kill(pid, 'SIGCONT');
  expect((await child.ended).stdout.trim().split('\n').at(-1)).toBe('done');
});

it('that is waited for passes when the process has worked for so long, and not while it does nothing', async () => {
  let hasPassed = false;
  afterWorking(500, () => {
    hasPassed = true;
  });
  await sleep(700);
  expect(hasPassed).toBe(false);
  expect(() => withDeadline(600, endless)).toThrow(DeadlinePassed);
  await expect.poll(() => hasPassed).toBe(true);
});

it('that is given up does not pass', async () => {
  const giveUp = afterWorking(1, () => expect.unreachable());
  giveUp();
  expect(() => withDeadline(10, endless)).toThrow(DeadlinePassed);
  await sleep(10);
});
