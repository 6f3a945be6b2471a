import { Worker } from 'node:worker_threads';
import { blockedEvent, overdueEvent } from './crash-report.js';

export interface WatchdogNeeds {
  /** The memory that the process may have in all, megabytes. */
  limitMb: number;
  /** The crash report to write before the process is ended. */
  file: string;
}

export interface Watchdog {
  /**
   * For a thread that many attempts share. When it is held for 2 s, the watchdog finds out by which, and says so as soon as
   * the thread is free. When it is held for 10 s, the process is ended.
   *
   * @param current the token of the attempt to which the code that runs right now belongs
   * @param onBlocked is called with what `current` returned while the thread was held
   */
  watchThread(current: () => string | undefined, onBlocked: (found: string) => void): void;
  /** Ends the process when the time of an attempt is over and it holds the thread, so that nothing else could end it. */
  watchAttempt(token: string, timeoutSeconds: number): AttemptWatch;
}

export interface AttemptWatch {
  /** Its time is over, and it is told so: it may take as long as any agent to stop. */
  isTold(): void;
  isOver(): void;
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
  const events = { blockedEvent, overdueEvent };
  const workerData = { limit: limitMb * 1_000_000, file, beats, beatMs, ...events, probe: Symbol.keyFor(probe) };
  const worker = new Worker(source, { eval: true, execArgv: [], workerData });
  worker.unref();
  // A runner works without it too.
  worker.on('error', () => {});
  let isBeating = false;
  let unsent: WatchMessage[] = [];
  // Each message wakes the other thread, so several go as one.
  const send = () => {
    if (unsent.length > 0) worker.postMessage(unsent);
    unsent = [];
  };
  const beat = () => {
    Atomics.add(beats, 0, 1);
    send();
  };
  const note = (message: WatchMessage) => {
    if (!isBeating) setInterval(beat, beatMs).unref();
    isBeating = true;
    unsent.push(message);
  };
  return {
    watchThread(current, onBlocked) {
      Object.assign(globalThis, { [probe]: current });
      worker.on('message', onBlocked);
      // The listener would keep the process alive.
      worker.unref();
      note({ isShared: true });
      send();
    },
    watchAttempt(token, seconds) {
      note({ token, seconds });
      // With those that start in the same step, and before the code of any of them runs: that waits for a promise first.
      queueMicrotask(send);
      return {
        isTold() {
          note({ token, seconds, isTold: true });
          // What follows at once runs code of the agent, which may never let go of the thread.
          send();
        },
        // It can wait for the next beat.
        isOver: () => note({ token, isOver: true }),
      };
    },
  };
}

type WatchMessage =
  | { isShared: true }
  | { token: string; seconds: number; isTold?: true }
  | { token: string; isOver: true };

/**
 * How long the thread is held is counted in turns of its own timer: a process that was stopped, or a machine that slept, is
 * not blamed.
 */
const source = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Session } = require('node:inspector');
  const { writeFileSync } = require('node:fs');
  const { limit, file, beats, beatMs, blockedEvent, overdueEvent, probe } = workerData;
  const end = (event, more) => {
    try {
      writeFileSync(file, JSON.stringify({ header: { event }, ...more }), { mode: 0o600 });
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  let isWatching = false;
  let isShared = false;
  const attempts = new Map();
  parentPort.on('message', (messages) => {
    isWatching = true;
    for (const { token, seconds, ...message } of messages) {
      if (message.isShared) isShared = true;
      else if (message.isOver) attempts.delete(token);
      else {
        const leftMs = message.isTold ? 8_000 : seconds * 1_000 + 1_000;
        attempts.set(token, { token, seconds, endsAt: performance.now() + leftMs });
      }
    }
  });
  let last = 0;
  let still = 0;
  let holder;
  setInterval(() => {
    if (process.memoryUsage.rss() > limit) end('Out of memory');
    const beat = Atomics.load(beats, 0);
    still = beat === last && isWatching ? still + 1 : 0;
    last = beat;
    if (still === 0) holder = undefined;
    if (isShared && still === 2_000 / beatMs) findWho();
    const { token, seconds, endsAt = Infinity } = (isShared ? attempts.get(holder) : [...attempts.values()][0]) ?? {};
    if (still >= 1_000 / beatMs && performance.now() > endsAt) end(overdueEvent, { token, seconds });
    if (isShared && still >= 10_000 / beatMs) end(blockedEvent);
  }, beatMs);

  function findWho() {
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', ({ params: { callFrames: [{ callFrameId }] } }) => {
      const expression = 'globalThis[Symbol.for(' + JSON.stringify(probe) + ')]()';
      session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression, returnByValue: true }, (error, found) => {
        holder = found?.result.value;
        if (holder) parentPort.postMessage(holder);
        session.post('Debugger.resume', () => session.post('Debugger.disable', () => session.disconnect()));
      });
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  }`;
