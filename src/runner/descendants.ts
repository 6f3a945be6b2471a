import { readdirSync, readFileSync } from 'node:fs';
import { runnerMark } from '../base/child-environment.js';

/**
 * Kills what a runner that is gone, or about to go, has left behind. The mark holds the runner's own id, so that no
 * process of anyone else's can bear it. Linux only: elsewhere another process's environment cannot be read.
 */
export function endDescendants(runnerId: string): number {
  return endMarked(runnerMark, runnerId);
}

/** Kills every process that has this variable with this value in its environment; returns how many there were. */
export function endMarked(variable: string, value: string): number {
  let ended = 0;
  for (const pid of markedProcesses(variable, value)) {
    try {
      process.kill(pid, 'SIGKILL');
      ended++;
    } catch {
      // It went by itself.
    }
  }
  return ended;
}

function markedProcesses(variable: string, value: string): number[] {
  if (process.platform !== 'linux' || value === '') return [];
  const mark = `${variable}=${value}`;
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
