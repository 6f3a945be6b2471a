import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { processesOf } from '../support/processes-of.js';

export const processKinds = ['server', 'thin', 'http', 'worker', 'runner', 'tool', 'keeper', 'watchdog'] as const;
export type ProcessKind = (typeof processKinds)[number];

interface Found {
  pid: number;
  kind: ProcessKind;
}

const clockGroups = 4;

/** The product's processes of one home, as the system shows them: whoever started them, and whatever became of that one. */
export class Fleet {
  readonly #home: string;
  readonly #startMs: () => number;
  readonly #shifts = new Map<number, number>();

  /** `startMs` is how long a server takes to start nowadays. */
  constructor(home: string, startMs: () => number) {
    this.#home = home;
    this.#startMs = startMs;
    mkdirSync(join(home, 'clocks'), { recursive: true });
  }

  /** One of those that have lived for `age` times the start of a server, the same for the same place among the same processes. */
  find({ target, place, age }: { target: ProcessKind; place: number; age: number }): number | undefined {
    const pids = this.list().filter(
      ({ kind, pid }) => kind === target && (age === 0 || ageOf(pid) >= age * this.#startMs()),
    );
    return pids[Math.floor(place * pids.length)]?.pid;
  }

  /** By pid, so by age as far as the system counts on. */
  list(): Found[] {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid)
      .sort((a, b) => a - b);
    const ours = pids.flatMap((pid): Found[] => {
      const environment = read(pid, 'environ');
      if (!environment.includes(`HOME=${this.#home}\0`)) return [];
      const kind = kindOf(read(pid, 'cmdline'), environment);
      return kind ? [{ pid, kind }] : [];
    });
    const servers = new Set(ours.map(({ pid }) => pid));
    // A watchdog has no environment of its own.
    const watchdogs = pids.filter((pid) => !servers.has(pid) && isWatchdog(pid) && servers.has(parentOf(pid)));
    return [...ours, ...watchdogs.map((pid): Found => ({ pid, kind: 'watchdog' }))];
  }

  /** What our own processes have started: tools' children, and whatever else has this home. */
  others(): { pid: number; command: string }[] {
    const ours = new Set(this.list().map(({ pid }) => pid));
    return processesOf(this.#home)
      .filter((pid) => !ours.has(pid))
      .map((pid) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 100) }));
  }

  /** Steps the clock that the processes of a group share (clock-groups.mjs). */
  stepClock(place: number, ms: number): void {
    const group = Math.floor(place * clockGroups);
    const shift = (this.#shifts.get(group) ?? 0) + ms;
    this.#shifts.set(group, shift);
    writeFileSync(join(this.#home, 'clocks', String(group)), String(shift));
  }

  /** Sets all clocks right again. */
  rightClocks(): void {
    for (const group of this.#shifts.keys()) writeFileSync(join(this.#home, 'clocks', String(group)), '0');
  }
}

function kindOf(command: string, environment: string): ProcessKind | undefined {
  if (command.includes('job-runner.js')) return 'runner';
  if (command.includes('server-keeper.js')) return 'keeper';
  if (command.includes('odd-server.mjs')) return 'tool';
  if (!command.includes('main.js')) return undefined;
  if (command.includes('--http')) return 'http';
  if (command.includes('\0worker\0')) return 'worker';
  return environment.includes('\0AGENT_RUNTIME_URL=') || environment.startsWith('AGENT_RUNTIME_URL=')
    ? 'thin'
    : 'server';
}

const isWatchdog = (pid: number): boolean => read(pid, 'cmdline').includes('while read -r sign pid');

const parentOf = (pid: number): number => Number(statOf(pid)[1]);

/** By proc(5) a process's start is counted in hundredths of a second since the boot. */
const ageOf = (pid: number): number => uptime() * 1_000 - Number(statOf(pid)[19]) * 10;

/** The fields of proc(5) after the command's name, which may hold any character. */
function statOf(pid: number): string[] {
  const stat = read(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It has ended, or is another user's.
    return '';
  }
}
