import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { hasLapsed } from '../coordination/lease.js';
import type { Processes } from '../ports.js';
import { type FinishRules, finishAttempt, type Outcome } from './finish-job.js';
import type { JobRow } from './job.js';
import { identityOf, liveRunners, markLost, type RunnerRow } from './runners.js';

export interface RescueNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  rules: FinishRules;
  /** An outcome that a runner could not write to the database and left in a file instead. */
  takeSpooled(jobId: string, token: string): Promise<Outcome | undefined>;
  /** Ends a runner that lives but does not answer, by its identity. */
  endRunner(row: RunnerRow): Promise<void>;
}

export interface Rescued {
  runnerId: string;
  jobId: string | undefined;
  reason: string;
}

/** A child that has not said who it is after this long never came up. */
const startingMs = 30_000;

/** Across hosts there is no proof of death; six missed heartbeats must do. */
const silentMs = 60_000;

/**
 * Finds runners that are gone and gives their jobs back to the queue, with the reason kept. On the same host death is
 * proved by the process's identity, never inferred from a clock. Any process may run it at any time: each loss is
 * written once.
 */
export async function rescueLostRunners(needs: RescueNeeds): Promise<Rescued[]> {
  const rescued: Rescued[] = [];
  for (const runner of await needs.db.all<RunnerRow>(liveRunners)) {
    const reason = whyLost(runner, needs);
    if (reason) rescued.push(await rescue(runner, reason, needs));
    else if (await isOverdue(runner, needs)) {
      await needs.endRunner(runner);
      rescued.push(await rescue(runner, 'it did not answer when its time was over', needs, 'timeout'));
    }
  }
  return rescued;
}

function whyLost(runner: RunnerRow, { clock, processes }: RescueNeeds): string | undefined {
  const identity = identityOf(runner);
  if (!identity) {
    const age =
      runner.created_boot_id === clock.bootId ? clock.tick() - runner.created_tick : clock.now() - runner.created_at;
    return age > startingMs ? 'it never started' : undefined;
  }
  switch (processes.liveness(identity)) {
    case 'alive':
      return undefined;
    case 'dead':
      return `its process ${identity.pid} is gone`;
    case 'unknown':
      return clock.now() - (runner.heartbeat_at ?? 0) > silentMs
        ? `${identity.hostId} has been silent for a minute`
        : undefined;
  }
}

/** Whether its attempt should have been over, so that not even its own timer works: a stopped or stuck process. */
async function isOverdue(runner: RunnerRow, { db, clock }: RescueNeeds): Promise<boolean> {
  const job = await jobOf(db, runner.id);
  return job !== undefined && hasLapsed(job, clock);
}

async function rescue(
  runner: RunnerRow,
  reason: string,
  { db, clock, rules, takeSpooled }: RescueNeeds,
  cause: 'lost' | 'timeout' = 'lost',
): Promise<Rescued> {
  const running = await jobOf(db, runner.id);
  const spooled = running?.attempt_token ? await takeSpooled(running.id, running.attempt_token) : undefined;
  const message = `Runner ${runner.id} was lost: ${reason}.`;
  await db.transaction(async (sql) => {
    const at = clock.now();
    await markLost(sql, runner.id, reason, at);
    const job = await jobOf(sql, runner.id);
    if (!job?.attempt_token) return;
    const outcome: Outcome =
      spooled ??
      (cause === 'lost' ? { kind: 'lost', message } : { kind: 'failed', code: 'timeout', message, isTransient: true });
    await finishAttempt(sql, { jobId: job.id, token: job.attempt_token }, outcome, rules, at);
  });
  return { runnerId: runner.id, jobId: running?.id, reason };
}

function jobOf(sql: Sql, runnerId: string): Promise<JobRow | undefined> {
  return sql.get<JobRow>("select * from jobs where runner_id = ? and status = 'running'", runnerId);
}
