import { readdirSync, readFileSync } from 'node:fs';
import { runnerMark } from '../base/child-environment.js';

/**
 * Kills the processes that a runner has started, when it is gone or about to go. They carry its id in their environment,
 * which no other process does. Linux only: elsewhere the environment of another process cannot be read.
 */
export function endDescendants(runnerId: string): number {
  return endMarked(runnerMark, runnerId);
}

/** Kills every process with this variable and value in its environment. Returns how many were killed. */
export function endMarked(variable: string, value: string): number {
  let ended = 0;
  for (const pid of markedProcesses(variable, value)) {
    try {
      process.kill(pid, 'SIGKILL');
      ended++;
    } catch {
      // It has ended by itself.
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
    // The process has ended, or is another user's.
    return [];
  }
}
