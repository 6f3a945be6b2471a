import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { setImmediate as nextRound, setTimeout as sleep } from 'node:timers/promises';

const pollMs = 20;

/** Knows the timers that a piece of work starts, however deep inside. */
export class LeftTimers {
  readonly #inside = new AsyncLocalStorage<true>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #hook = createHook({
    init: (id, type, _, resource) => {
      if (type === 'Timeout' && this.#inside.getStore()) this.#timers.set(id, resource as NodeJS.Timeout);
    },
    destroy: (id) => {
      this.#timers.delete(id);
    },
  });

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#hook.enable();
    return this.#inside.run(true, work);
  }

  /**
   * Resolves when the work, which is over, has left no timer and no rejected promise behind, to true; after about `ms` to false.
   * Timers that do not keep a process alive do not count.
   */
  async areGone(ms: number): Promise<boolean> {
    await nextRound();
    // Counted in rounds: on a busy machine a timer that is due gets its turn before this gives up.
    for (let rounds = ms / pollMs; rounds > 0; rounds--) {
      if (![...this.#timers.values()].some((timer) => timer.hasRef())) return true;
      await sleep(pollMs);
    }
    return false;
  }

  close(): void {
    this.#hook.disable();
  }
}
