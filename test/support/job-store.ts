import { jobEffects } from '../../src/agents/index.js';
import { createJobStore, type JobStore } from '../../src/core/jobs/job-store.js';
import { capabilitiesOf, lanesOf } from '../../src/runner/environment.js';
import { systemProcesses } from '../../src/runner/identity.js';
import type { Runtime } from '../../src/runtime.js';

/**
 * The store below a runtime's `jobs`: what it stores, no process is started for. For tests that run the jobs themselves,
 * or that play a session which ends right after a submission.
 */
export function jobStoreOf({ db, clock, config, models, agents, goalRuns, relayRuns }: Runtime): JobStore {
  return createJobStore({
    db,
    clock,
    processes: systemProcesses(clock.bootId),
    lanes: lanesOf(config),
    capabilities: capabilitiesOf(models, agents, config),
    effects: jobEffects(clock),
    async onEnded(sql, job, change) {
      await goalRuns.onEnded(sql, job, change);
      await relayRuns.onEnded(sql, job, change);
    },
  });
}
