import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Keeps this process on one core and a server on another, as a busy client and its server are. Left to itself the
 * scheduler puts the lightest server onto the client's own core, where a call takes half as long, and no other. Does
 * nothing where there is no `taskset` or only one core.
 */
export function keepApart(server: number): void {
  if (availableParallelism() < 2 && !isPinned) return;
  isPinned = pin(process.pid, 0) && pin(server, 1);
}

let isPinned = false;

/** Gives this process its cores back. */
export function letGo(): void {
  if (isPinned) spawnSync('taskset', ['-acp', '0-1', String(process.pid)]);
  isPinned = false;
}

function pin(pid: number, core: number): boolean {
  return spawnSync('taskset', ['-acp', String(core), String(pid)]).status === 0;
}
