import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { createWatchdog, signalGroup } from '../../../src/downstream/connection/watchdog.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';

/** The shells that this process has started. */
function shells(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter(Boolean)
    .map(Number)
    .filter((pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.includes('(sh) ') && !stat.includes('(sh) Z');
    });
}

function startSleeper(): number {
  const { pid = 0 } = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => signalGroup(pid, 'SIGKILL'));
  return pid;
}

it('a watchdog that was killed is replaced, and the next one guards what it guarded', async () => {
  const known = shells();
  const watchdog = createWatchdog();
  const [kept, released, late] = [startSleeper(), startSleeper(), startSleeper()];
  watchdog.guard(kept);
  watchdog.guard(released);
  const find = () => shells().filter((pid) => !known.includes(pid));
  const [first = 0] = find();
  process.kill(first, 'SIGKILL');
  watchdog.release(released);
  await eventually('there is another', () => find().filter((pid) => pid !== first).length === 1);
  watchdog.guard(late);
  watchdog.close();
  await eventually('what it guards has ended', () => ![kept, late].some(isAlive));
  expect(isAlive(released)).toBe(true);
});

it('groups whose watchdog has just been killed are ended all the same at the end of the session', async () => {
  const known = shells();
  const watchdog = createWatchdog();
  const sleeper = startSleeper();
  watchdog.guard(sleeper);
  const [dog = 0] = shells().filter((pid) => !known.includes(pid));
  process.kill(dog, 'SIGKILL');
  await eventually('the watchdog has ended', () => !shells().includes(dog));
  watchdog.close();
  await eventually('what it guards has ended', () => !isAlive(sleeper));
});
