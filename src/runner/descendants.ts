import { readdirSync, readFileSync } from 'node:fs';
import { runnerMark } from '../base/ordinary-variables.js';

/**
 * Kills what a runner that is gone, or about to go, has left behind. The mark holds the runner's own id, so that no
 * process of anyone else's can bear it. Linux only: elsewhere another process's environment cannot be read.
 */
export function endDescendants(runnerId: string): number {
  let ended = 0;
  for (const pid of markedProcesses(runnerId)) {
    try {
      process.kill(pid, 'SIGKILL');
      ended++;
    } catch {
      // It went by itself.
    }
  }
  return ended;
}

function markedProcesses(runnerId: string): number[] {
  if (process.platform !== 'linux' || runnerId === '') return [];
  const mark = `${runnerMark}=${runnerId}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // Gone, or another user's.
    return [];
  }
}
