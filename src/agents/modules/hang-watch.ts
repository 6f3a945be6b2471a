import { Worker } from 'node:worker_threads';

/** CPU time within which a module is loaded, and within which it checks a payload, milliseconds. */
const mostCpuMs = 10_000;
const tickMs = 250;
/** A module that does nothing for this many ticks waits for what does not come. */
const idleTicks = 40;
/** CPU time that a process which only waits may use in that time, milliseconds. */
const idleCpuMs = 100;

/** The signals by which the watch ends its process, so that the parent learns why. Nothing else sends them. */
const signals = { loops: 'SIGVTALRM', waits: 'SIGALRM' } as const;

export interface HangWatch {
  /** From now on the thread is expected to come back, or until as many calls of `done` as of `begin`. */
  begin(): void;
  done(): void;
}

/**
 * Ends this process when its parent is gone, when it has used too much CPU time for what was begun, or when it has done
 * nothing for long. It counts the work of this process and not the time on the wall, so that a machine which is busy with
 * other things makes no good module hang; and from a thread of its own, because the module may hold this one.
 */
export function watchForHang(): HangWatch {
  /** How much is under way; how often something was begun. */
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { shared, parent: process.ppid, mostCpuMs, tickMs, idleTicks, idleCpuMs, signals };
  new Worker(`(${watch})(require('node:worker_threads').workerData)`, { eval: true, execArgv: [], workerData }).unref();
  return {
    begin() {
      Atomics.add(shared, 0, 1);
      Atomics.add(shared, 1, 1);
    },
    done() {
      Atomics.sub(shared, 0, 1);
    },
  };
}

/** What a signal of the watch means; undefined for any other end of a process. */
export function explainHang(signal: string | null): string | undefined {
  if (signal === signals.loops) {
    return `It hangs: it did not answer within ${mostCpuMs / 1000} s of CPU time, so something in it loops.`;
  }
  if (signal === signals.waits) {
    const seconds = (idleTicks * tickMs) / 1000;
    return `It hangs: it did nothing for ${seconds} s and did not answer, so it waits for something that does not come.`;
  }
  return undefined;
}

interface WatchData {
  shared: Int32Array;
  parent: number;
  mostCpuMs: number;
  tickMs: number;
  idleTicks: number;
  idleCpuMs: number;
  signals: { loops: NodeJS.Signals; waits: NodeJS.Signals };
}

/** Runs as source text in the watching thread, so it uses nothing from outside but Node. */
function watch({ shared, parent, mostCpuMs, tickMs, idleTicks, idleCpuMs, signals }: WatchData): void {
  let round = -1;
  /** CPU time of this process at each tick since something was begun. */
  let used: number[] = [];
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    const isWaiting = Atomics.load(shared, 0) === 0;
    if (isWaiting || Atomics.load(shared, 1) !== round) {
      used = [];
      round = Atomics.load(shared, 1);
    }
    if (isWaiting) return;
    const { user, system } = process.cpuUsage();
    const now = (user + system) / 1000;
    used.push(now);
    const isLooping = now - (used[0] ?? now) >= mostCpuMs;
    const isIdle = used.length > idleTicks && now - (used.at(-1 - idleTicks) ?? 0) < idleCpuMs;
    if (!isLooping && !isIdle) return;
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1_000);
    process.kill(process.pid, isLooping ? signals.loops : signals.waits);
  }, tickMs);
}
