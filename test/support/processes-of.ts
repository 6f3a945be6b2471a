import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './is-alive.js';

/** The live processes whose environment has this home, found in /proc: Linux only. */
export function processesOf(home: string): number[] {
  return otherProcesses().filter((pid) => wordsOf(pid, 'environ').includes(`HOME=${home}`) && isAlive(pid));
}

/** The live processes that name this path in their command; none where there is no /proc. */
export function processesWith(path: string): { pid: number; command: string; home: string }[] {
  if (!existsSync('/proc')) return [];
  return otherProcesses()
    .map((pid) => ({
      pid,
      command: wordsOf(pid, 'cmdline').join(' '),
      home:
        wordsOf(pid, 'environ')
          .find((entry) => entry.startsWith('HOME='))
          ?.slice('HOME='.length) ?? 'unknown',
    }))
    .filter(({ pid, command }) => command.includes(path) && isAlive(pid));
}

function otherProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** Kills them, also those that they start meanwhile, until none is left. Throws when some are still there after 10 s. */
export async function endProcessesOf(home: string): Promise<void> {
  for (const giveUpAt = performance.now() + 10_000; ; await sleep(50)) {
    const left = processesOf(home);
    if (left.length === 0) return;
    if (performance.now() > giveUpAt) throw new Error(`Processes of ${home} do not end: ${left.join(', ')}`);
    for (const pid of left) kill(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function wordsOf(pid: number, file: 'cmdline' | 'environ'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    // It has ended, or is another user's.
    return [];
  }
}
