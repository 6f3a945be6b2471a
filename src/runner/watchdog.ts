import { Worker } from 'node:worker_threads';
import { blockedEvent } from './crash-report.js';

export interface WatchdogNeeds {
  /** The memory that the process may have in all, megabytes. */
  limitMb: number;
  /** The crash report to write before the process is ended. */
  file: string;
}

export interface Watchdog {
  /**
   * Watches the thread from now on. When it is held for 2 s, it finds out by what, and says so as soon as the thread is
   * free. When it is held for 10 s, the process is ended.
   *
   * @param current what the code that runs right now belongs to
   * @param onBlocked is called with what `current` returned while the thread was held
   */
  watchThread(current: () => string | undefined, onBlocked: (found: string) => void): void;
}

const beatMs = 100;

/** The debugger evaluates this in the held thread, where it reaches nothing but globals. */
const probe = Symbol.for('agent-runtime.current');

/**
 * Watches this process from a thread of its own, because code that holds the main thread holds its timers too. Ends the
 * process when it has more memory than the limit: V8's own limit does not count what lies outside its heap, such as
 * buffers.
 */
export function startWatchdog({ limitMb, file }: WatchdogNeeds): Watchdog {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { limit: limitMb * 1_000_000, file, beats, beatMs, blockedEvent, probe: Symbol.keyFor(probe) };
  const worker = new Worker(source, { eval: true, execArgv: [], workerData });
  worker.unref();
  // A runner works without it too.
  worker.on('error', () => {});
  return {
    watchThread(current, onBlocked) {
      Object.assign(globalThis, { [probe]: current });
      worker.on('message', onBlocked);
      // The listener would keep the process alive.
      worker.unref();
      setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
    },
  };
}

/** Times are counted in turns of its own timer: a process that was stopped, or a machine that slept, is not blamed. */
const source = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Session } = require('node:inspector');
  const { writeFileSync } = require('node:fs');
  const { limit, file, beats, beatMs, blockedEvent, probe } = workerData;
  const end = (event) => {
    try {
      writeFileSync(file, JSON.stringify({ header: { event } }), { mode: 0o600 });
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  let last = 0;
  let still = 0;
  setInterval(() => {
    if (process.memoryUsage.rss() > limit) end('Out of memory');
    const beat = Atomics.load(beats, 0);
    still = beat === last ? still + 1 : 0;
    last = beat;
    // Before its first beat the thread is not watched.
    if (beat === 0) return;
    if (still === 2_000 / beatMs) findWho();
    if (still >= 10_000 / beatMs) end(blockedEvent);
  }, beatMs);

  function findWho() {
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', ({ params: { callFrames: [{ callFrameId }] } }) => {
      const expression = 'globalThis[Symbol.for(' + JSON.stringify(probe) + ')]()';
      session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression, returnByValue: true }, (error, found) => {
        if (found?.result.value) parentPort.postMessage(found.result.value);
        session.post('Debugger.resume', () => session.post('Debugger.disable', () => session.disconnect()));
      });
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  }`;
