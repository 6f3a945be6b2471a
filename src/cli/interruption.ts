import { constants } from 'node:os';
import type { Output } from './output.js';

export interface Interruption {
  /** Aborted by the first Ctrl-C or SIGTERM; the second ends the process as it always does. */
  signal: AbortSignal;
  /** Signals mean again what they mean to any process. */
  end(): void;
}

/**
 * Lets a command come to an orderly end when it is interrupted; its exit code is then that of the signal. One that ends
 * at once anyway has nothing to announce.
 */
export function createInterruption(output: Output, { isAnnounced = true } = {}): Interruption {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    process.exitCode = 128 + constants.signals[signal];
    if (isAnnounced) output.say(`Stopping on ${signal}; once more ends it at once.`);
    end();
    controller.abort();
  };
  const end = () => {
    for (const signal of watched) process.off(signal, interrupt);
  };
  for (const signal of watched) process.on(signal, interrupt);
  return { signal: controller.signal, end };
}

const watched = ['SIGINT', 'SIGTERM'] as const;
