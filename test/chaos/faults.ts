import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, type ProcessKind, processKinds } from './fleet.js';
import { randomOf } from './random.js';

/**
 * Something that is done to one process of a kind, so many milliseconds after the start of the run, if that process has
 * lived `age` times as long as a server takes to start: were all struck as soon as they started, none would get to its
 * work, and on a busy machine that takes long.
 */
export type Fault = { at: number; target: ProcessKind; place: number; age: number } & (
  | { kind: 'kill' }
  | { kind: 'stop'; ms: number }
  // Sets the wall clock of the processes in one clock group forward or back, for good.
  | { kind: 'step'; ms: number }
);

const kinds = { kill: 88, stop: 9, step: 3 } as const;
const targets: Record<ProcessKind, number> = {
  server: 40,
  runner: 20,
  thin: 14,
  tool: 10,
  http: 9,
  worker: 9,
  keeper: 4,
  watchdog: 3,
};

const ages = [0, 0.7, 1.5, 3] as const;

export interface Pace {
  minutes: number;
  /** On average. */
  perSecond: number;
}

/** All faults of a run, by time: a function of the seed and the pace alone. */
export function planFaults(seed: number, { minutes, perSecond }: Pace): Fault[] {
  const random = randomOf(seed, 1);
  const faults: Fault[] = [];
  for (let at = 2_000; at < minutes * 60_000; at += Math.round((random.next() * 2_000) / perSecond)) {
    const fault = { at, target: random.weighed(targets), place: random.next(), age: random.pick(ages) };
    const kind = random.weighed(kinds);
    if (kind === 'kill') faults.push({ ...fault, kind });
    else if (kind === 'stop') faults.push({ ...fault, kind, ms: random.pick([200, 500, 1_000, 2_500, 6_000, 12_000]) });
    else
      faults.push({
        ...fault,
        kind,
        ms: random.pick([1, -1]) * random.pick([61_000, 3_600_000, 7_200_000, 34_560_000_000]),
      });
  }
  return faults;
}

export type FaultCounts = Record<ProcessKind, { kill: number; stop: number; step: number; missed: number }>;

/** Does to the fleet what was planned; resolves when the plan has been carried out, to how often what was done. */
export async function carryOut(faults: readonly Fault[], fleet: Fleet): Promise<FaultCounts> {
  const counts = Object.fromEntries(
    processKinds.map((kind) => [kind, { kill: 0, stop: 0, step: 0, missed: 0 }]),
  ) as FaultCounts;
  const startedAt = performance.now();
  const stopped: Promise<void>[] = [];
  for (const fault of faults) {
    await sleep(Math.max(0, startedAt + fault.at - performance.now()));
    const pid = fleet.find(fault);
    if (fault.kind === 'step') {
      fleet.stepClock(fault.place, fault.ms);
      counts[fault.target].step++;
    } else if (pid === undefined || !signal(pid, fault.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP')) {
      counts[fault.target].missed++;
    } else {
      counts[fault.target][fault.kind]++;
      if (fault.kind === 'stop') stopped.push(sleep(fault.ms).then(() => void signal(pid, 'SIGCONT')));
    }
  }
  await Promise.all(stopped);
  return counts;
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    // It has ended by itself meanwhile.
    return false;
  }
}
