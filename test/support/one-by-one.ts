import type { Actor } from '../../src/core/actor.js';
import type { JobRow } from '../../src/core/jobs/job.js';
import type { JobStore } from '../../src/core/jobs/job-store.js';
import type { Lane, LaneLimit } from '../../src/core/jobs/lane.js';
import type { AttemptKey, Outcome } from '../../src/core/jobs/outcome.js';
import type { CarriedAttempt, NextStep } from '../../src/core/jobs/runners.js';

/** Lanes in which every runner carries one job, and so many run at once in each. */
export function singleLanes(atOnce: number): Record<Lane, LaneLimit> {
  return { call: { atOnce, perRunner: 1 }, process: { atOnce, perRunner: 1 } };
}

export type SingleStep = { do: 'run'; job: JobRow } | Exclude<NextStep, { do: 'run' }>;

export interface OneByOne extends JobStore {
  /** What a runner that carries nothing does next. */
  nextStep(runnerId: string): Promise<SingleStep>;
  finish(key: AttemptKey, outcome: Outcome): Promise<JobRow | undefined>;
  permitRunner(actor: Actor): Promise<string | undefined>;
  anyReady(): Promise<boolean>;
  /** The state of one attempt of a runner; undefined when it is not its own any more. */
  state(runnerId: string, key: AttemptKey): Promise<Omit<CarriedAttempt, 'token'> | undefined>;
}

/** A store whose turns are taken apart: one job is claimed, or one outcome written. */
export function oneByOne(store: JobStore): OneByOne {
  return {
    ...store,
    async nextStep(runnerId) {
      const { next } = await store.turn(runnerId, [], 1);
      if (next.do !== 'run') return next;
      const [job] = next.jobs;
      if (!job) throw new Error(`Runner ${runnerId} took nothing, although it carries something.`);
      return { do: 'run', job };
    },
    async finish(key, outcome) {
      // Of nobody's: the turn of the runner itself would make it leave.
      const { ended } = await store.turn('', [{ key, outcome }], 0);
      return ended[0];
    },
    permitRunner: async (actor) => (await store.permitRunners(actor))[0],
    anyReady: async () => (await store.hasReady('call')) || (await store.hasReady('process')),
    async state(runnerId, { token }) {
      const found = (await store.carried(runnerId)).find((row) => row.token === token);
      return found && { isCancelRequested: found.isCancelRequested };
    },
  };
}
