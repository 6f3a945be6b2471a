import { constants } from 'node:os';
import type { Output } from './output.js';

export interface Interruption {
  /** Aborted by the first Ctrl-C or SIGTERM. The second one ends the process at once. */
  signal: AbortSignal;
  /** Stops handling signals, so that they end the process at once again. */
  end(): void;
}

/**
 * Lets a command end in an orderly way when it is interrupted. Its exit code is then that of the signal. A command that
 * ends at once anyway passes `isAnnounced: false`.
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
