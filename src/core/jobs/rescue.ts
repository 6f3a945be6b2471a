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
  /** An outcome that a runner left in a file because the database could not be written, or that its crash report shows. */
  readSpooled(key: AttemptKey, runnerId: string): Outcome | undefined;
  /** Deletes that file, once the outcome is in the database. */
  forgetSpooled(key: AttemptKey): void;
  /** Kills what is left of a runner: a process that does not answer, or the children of a dead one. */
  endRunner(row: RunnerRow): void;
}

export interface Rescued {
  runnerId: string;
  jobId: string | undefined;
  reason: string;
}

/** A runner that has not registered after this long never came up. */
const startingMs = 30_000;

/** Across hosts there is no proof of death, so six missed heartbeats count as one. */
const silentMs = 60_000;

/**
 * Finds runners that are gone, and ends their jobs or puts them back into the queue with the reason. On the same host
 * death is proved by the process's identity, never inferred from a clock. Any process may run it at any time: each loss
 * is written once. A failure for one runner does not stop the rescue of the others; the first one is thrown at the end.
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

/** A runner that rescues others skips itself. */
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

/** Milliseconds since the last heartbeat. Another pid namespace of this boot shares the monotonic clock. */
function silence(runner: RunnerRow, clock: Clock): number {
  return runner.boot_id === clock.bootId
    ? clock.tick() - (runner.heartbeat_tick ?? 0)
    : clock.now() - (runner.heartbeat_at ?? 0);
}

async function rescueLost(seen: RunnerRow, reason: string, needs: RescueNeeds): Promise<Rescued | undefined> {
  const { db, clock } = needs;
  const job = await jobOf(db, seen.id);
  let isOurs = false;
  // It may have come up, or have sent a heartbeat, since its row was read.
  const giveUp = async (sql: Sql) => {
    const isAsSeen = await sql.get(
      'select 1 from runners where id = ? and pid is not distinct from ? and heartbeat_at is not distinct from ?',
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
 * Ends a runner that is alive long after the timeout of its attempt: a stopped or stuck process, whose own timer does not
 * work. It loses the job first and is killed then, because by now it may have started another.
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
    // A process that was stopped inside a transaction blocks all writes until it is killed.
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
