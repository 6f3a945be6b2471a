import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { hasLapsed } from '../lease.js';
import type { Processes } from '../ports.js';
import { type FinishRules, finishAttempt, isUnavailable } from './finish-job.js';
import type { JobRow } from './job.js';
import type { AttemptKey, Outcome } from './outcome.js';
import { identityOf, isLive, markLost, type RunnerRow } from './runners.js';

export interface RescueNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  rules: FinishRules;
  /** An outcome that a runner could not write to the database and left in a file instead, or what its last words say. */
  readSpooled(key: AttemptKey, runnerId: string): Outcome | undefined;
  /** The outcome is in the database now. */
  forgetSpooled(key: AttemptKey): void;
  /** Ends what is left of a runner that has lost its job: a process that does not answer, the children of a dead one. */
  endRunner(row: RunnerRow): void;
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
 * written once. One that cannot be written now does not keep the others from it, and is thrown at the end.
 */
export async function rescueLostRunners(needs: RescueNeeds): Promise<Rescued[]> {
  const rescued: Rescued[] = [];
  const failures: unknown[] = [];
  for (const runner of await needs.db.all<RunnerRow>(`select * from runners where ${isLive}`)) {
    if (isSelf(runner, needs)) continue;
    try {
      const reason = whyLost(runner, needs);
      const found = reason ? await rescueLost(runner, reason, needs) : await rescueOverdue(runner, needs);
      if (found) rescued.push(found);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return rescued;
}

/** A runner that looks after the others does not judge itself. */
function isSelf(runner: RunnerRow, { processes }: RescueNeeds): boolean {
  const self = processes.self();
  return runner.pid === self.pid && runner.process_started === self.startTime && runner.host_id === self.hostId;
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
      return silence(runner, clock) > silentMs ? `${identity.hostId} has been silent for a minute` : undefined;
  }
}

/** In another pid namespace of this boot the monotonic clock is the same, and no one steps it. */
function silence(runner: RunnerRow, clock: Clock): number {
  return runner.boot_id === clock.bootId
    ? clock.tick() - (runner.heartbeat_tick ?? 0)
    : clock.now() - (runner.heartbeat_at ?? 0);
}

async function rescueLost(seen: RunnerRow, reason: string, needs: RescueNeeds): Promise<Rescued | undefined> {
  const { db, clock } = needs;
  const job = await jobOf(db, seen.id);
  let isOurs = false;
  // It may have come up, or have been heard of, since it was looked at.
  const giveUp = async (sql: Sql) => {
    const isAsSeen = await sql.get(
      'select 1 from runners where id = ? and pid is ? and heartbeat_at is ?',
      seen.id,
      seen.pid,
      seen.heartbeat_at,
    );
    isOurs = isAsSeen !== undefined && (await markLost(sql, seen.id, reason, clock.now()));
    return isOurs;
  };
  if (job) await takeOver(job, { kind: 'lost', message: `Runner ${seen.id} was lost: ${reason}.` }, giveUp, needs);
  else await db.transaction(giveUp);
  if (!isOurs) return undefined;
  needs.endRunner(seen);
  return { runnerId: seen.id, jobId: job?.id, reason };
}

/**
 * A runner that lives although its attempt should have been over, so that not even its own timer works: a stopped or
 * stuck process. It loses the job first and is ended then, because by now it may have begun another.
 */
async function rescueOverdue(runner: RunnerRow, needs: RescueNeeds): Promise<Rescued | undefined> {
  const { db, clock } = needs;
  const job = await jobOf(db, runner.id);
  if (!job || !hasLapsed(job, clock)) return undefined;
  const reason = 'it did not answer when its time was over';
  const message = `Runner ${runner.id} was ended: ${reason}.`;
  const isStillAtIt = async (sql: Sql) => (await jobOf(sql, runner.id))?.attempt_token === job.attempt_token;
  const giveUp = async (sql: Sql) => (await isStillAtIt(sql)) && markLost(sql, runner.id, reason, clock.now());
  const take = () => takeOver(job, { kind: 'failed', code: 'timeout', message, isTransient: true }, giveUp, needs);
  const ended = await take().catch(async (error: unknown) => {
    // A process that was stopped inside a transaction keeps everybody from writing, until it is ended.
    if (!isUnavailable(error) || !(await isStillAtIt(db))) throw error;
    needs.endRunner(runner);
    return take();
  });
  if (!ended) return undefined;
  needs.endRunner(runner);
  return { runnerId: runner.id, jobId: job.id, reason };
}

async function takeOver(
  job: JobRow,
  outcome: Outcome,
  giveUp: (sql: Sql) => Promise<boolean>,
  { db, clock, rules, readSpooled, forgetSpooled }: RescueNeeds,
): Promise<JobRow | undefined> {
  const key: AttemptKey = { jobId: job.id, token: job.attempt_token ?? '' };
  const spooled = readSpooled(key, job.runner_id ?? '');
  const ended = await finishAttempt(db, key, spooled ?? outcome, rules, clock.now(), giveUp);
  if (ended && spooled) forgetSpooled(key);
  return ended;
}

function jobOf(sql: Sql, runnerId: string): Promise<JobRow | undefined> {
  return sql.get<JobRow>("select * from jobs where runner_id = ? and status = 'running'", runnerId);
}
