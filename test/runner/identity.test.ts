import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { ProcessIdentity } from '../../src/core/ports.js';
import { systemProcesses } from '../../src/runner/identity.js';
import { createSpawner } from '../../src/runner/spawn.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { tempDir } from '../support/temp-dir.js';

const { bootId } = systemClock();
const processes = systemProcesses(bootId);

/** The identity that a process would give of itself. */
function identityOf(pid: number): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return { ...processes.self(), pid, startTime: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '' };
}

function startSleeper(): number {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}

describe.runIf(process.platform === 'linux')('a process', () => {
  it('is alive, and dead when it is gone', async () => {
    const identity = identityOf(startSleeper());
    expect(processes.liveness(identity)).toBe('alive');
    expect(processes.liveness(processes.self())).toBe('alive');
    process.kill(identity.pid, 'SIGKILL');
    await eventually('it is seen dead', () => processes.liveness(identity) === 'dead');
  });

  it('is dead while it is a zombie, though signals still reach it', async () => {
    // A shell that never collects its child: exec keeps the pid and forgets the child.
    const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) =>
      parent.stdout?.once('data', (data: Buffer) => resolve(Number(data.toString()))),
    );
    const identity = identityOf(pid);
    await eventually('it is a zombie', () => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    expect(process.kill(pid, 0)).toBe(true);
    expect(processes.liveness(identity)).toBe('dead');
  });

  it('with any name is read right', () => {
    const directory = tempDir();
    const child = spawn('sh', [
      '-c',
      `cp "$(command -v sleep)" '${directory}/a) Z 1 (b'; exec '${directory}/a) Z 1 (b' 60`,
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    return eventually('it runs under that name', () => {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      return stat.includes('(a) Z 1 (b)') && processes.liveness(identityOf(child.pid ?? 0)) === 'alive';
    });
  });

  it('is another one when it only has the same pid (R9)', async ({ skip }) => {
    const first = identityOf(startSleeper());
    process.kill(first.pid, 'SIGKILL');
    await eventually('it is collected', () => !isThere(first.pid));
    const startedAt = performance.now();
    await eventually('the start time, which counts in hundredths of a second, is another', () => {
      return performance.now() - startedAt > 20;
    });
    try {
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(first.pid - 1));
    } catch {
      skip('this machine does not let a test choose the next pid');
    }
    const again = startSleeper();
    if (again !== first.pid) skip('another process took the pid');
    expect(processes.liveness(first)).toBe('dead');
    const spawner = createSpawner({ processes, entry: '', logFile: '/dev/null', env: {}, heapMb: 1 });
    expect(spawner.signalRunner(first, 'SIGKILL')).toBe(false);
    expect(isAlive(again)).toBe(true);
  });

  it('of another boot is dead; of another host or pid namespace it is unknown', () => {
    const self = processes.self();
    expect(processes.liveness({ ...self, bootId: 'an earlier boot' })).toBe('dead');
    expect(processes.liveness({ ...self, hostId: 'elsewhere' })).toBe('unknown');
    expect(processes.liveness({ ...self, pidNamespace: 'pid:[1]' })).toBe('unknown');
  });

  it('is not signalled unless it is known to be the one, and never pid 1 (D13)', () => {
    const spawner = createSpawner({ processes, entry: '', logFile: '/dev/null', env: {}, heapMb: 1 });
    const identity = identityOf(startSleeper());
    expect(spawner.signalRunner({ ...identity, startTime: '1' }, 'SIGKILL')).toBe(false);
    expect(spawner.signalRunner({ ...identity, pidNamespace: 'pid:[1]' }, 'SIGKILL')).toBe(false);
    expect(spawner.signalRunner({ ...identityOf(1), pid: 1 }, 'SIGTERM')).toBe(false);
    expect(isAlive(identity.pid)).toBe(true);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
