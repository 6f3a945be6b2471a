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
   * Resolves when the work, which is over, has left no timer and no rejected promise behind, to true; after `ms` to false.
   * Timers that do not keep a process alive do not count.
   */
  async areGone(ms: number): Promise<boolean> {
    await nextRound();
    const giveUpAt = performance.now() + ms;
    while ([...this.#timers.values()].some((timer) => timer.hasRef())) {
      if (performance.now() > giveUpAt) return false;
      await sleep(pollMs);
    }
    return true;
  }

  close(): void {
    this.#hook.disable();
  }
}
