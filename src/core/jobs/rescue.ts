import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { hasLapsed } from '../lease.js';
import type { Processes } from '../ports.js';
import { type FinishRules, finishAttempt, isUnavailable, writeOne } from './finish-job.js';
import type { JobRow } from './job.js';
import { type AttemptKey, notBegun, type Outcome } from './outcome.js';
import { identityOf, isLive, markLost, type RunnerRow } from './runners.js';

export interface RescueNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  rules: FinishRules;
  /**
   * An outcome that a runner left in a file because the database could not be written, or that its crash report shows;
   * that one names no job, so it counts only where the runner had one alone.
   */
  readSpooled(key: AttemptKey, runnerId: string, isAlone: boolean): Outcome | undefined;
  /** Whether it is known that a runner of this host had claimed an attempt, and never began it. */
  neverBegan?(key: AttemptKey, runnerId: string): boolean;
  /** Deletes that file, once the outcome is in the database. */
  forgetSpooled(key: AttemptKey): void;
  /** Kills what is left of a runner: a process that does not answer, or the children of a dead one. */
  endRunner(row: RunnerRow): void;
}

/** A lost runner, and a job that it had; there is one of these for each of its jobs. */
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
      rescued.push(...(reason ? await rescueLost(runner, reason, needs) : await rescueOverdue(runner, needs)));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return rescued;
}

/** Whether the process of a live runner is gone, so that a rescue would find something. Costs one read, and no lock. */
export async function hasDeadRunner({ db, processes }: Pick<RescueNeeds, 'db' | 'processes'>): Promise<boolean> {
  const runners = await db.all<RunnerRow>(`select * from runners where ${isLive} and pid is not null`);
  return runners.some((runner) => {
    const identity = identityOf(runner);
    return identity !== undefined && processes.liveness(identity) === 'dead';
  });
}

/** A runner that rescues others skips itself. */
function isSelf(runner: RunnerRow, { processes }: RescueNeeds): boolean {
  const self = processes.self();
  return runner.pid === self.pid && runner.process_started === self.startTime && runner.host_id === self.hostId;
}

function whyLost(runner: RunnerRow, { db, clock, processes }: RescueNeeds): string | undefined {
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
      return Math.min(silence(runner, clock), db.inTouchMs()) > silentMs
        ? `${identity.hostId} has been silent for a minute`
        : undefined;
  }
}

/** Milliseconds since the last heartbeat. Another pid namespace of this boot shares the monotonic clock. */
function silence(runner: RunnerRow, clock: Clock): number {
  return runner.boot_id === clock.bootId
    ? clock.tick() - (runner.heartbeat_tick ?? 0)
    : clock.now() - (runner.heartbeat_at ?? 0);
}

/**
 * The runner is written off last: whoever goes on from here, should this process end half-way, finds it still live. A
 * failure for one of its jobs does not keep the others.
 */
async function rescueLost(seen: RunnerRow, reason: string, needs: RescueNeeds): Promise<Rescued[]> {
  const { db, clock, rules, forgetSpooled } = needs;
  const rescued: Rescued[] = [];
  // It may have come up, or have sent a heartbeat, since its row was read.
  const isAsSeen = async (sql: Sql) =>
    (await sql.get(
      `select 1 from runners where id = ? and ${isLive} and pid is not distinct from ?
         and heartbeat_at is not distinct from ?`,
      seen.id,
      seen.pid,
      seen.heartbeat_at,
    )) !== undefined;
  const jobs = await jobsOf(db, seen.id);
  for (const job of jobs) {
    const lost: Outcome = { kind: 'lost', message: `Runner ${seen.id} was lost: ${reason}.` };
    const { key, spooled, outcome } = lastWord(job, seen, lost, jobs.length === 1, needs);
    if (!(await finishAttempt(db, key, outcome, rules, clock.now(), isAsSeen))) continue;
    if (spooled) forgetSpooled(key);
    rescued.push({ runnerId: seen.id, jobId: job.id, reason });
  }
  const isOurs = await db.transaction(
    async (sql) => (await isAsSeen(sql)) && markLost(sql, seen.id, reason, clock.now()),
  );
  if (!isOurs) return rescued;
  needs.endRunner(seen);
  return jobs.length === 0 ? [{ runnerId: seen.id, jobId: undefined, reason }] : rescued;
}

/**
 * Ends a runner that is alive long after the timeout of an attempt: a stopped or stuck process, whose own timer does not
 * work. It loses all its jobs at once and is killed then, because by now it may have started another.
 */
async function rescueOverdue(runner: RunnerRow, needs: RescueNeeds): Promise<Rescued[]> {
  const { db, clock } = needs;
  const isOverdue = async (sql: Sql) => (await jobsOf(sql, runner.id)).some((job) => hasLapsed(job, clock));
  if (!(await isOverdue(db))) return [];
  const reason = 'it did not answer when its time was over';
  const take = () => takeAll(runner, reason, needs);
  const jobs = await take().catch(async (error: unknown) => {
    // A process that was stopped inside a transaction blocks all writes until it is killed.
    if (!isUnavailable(error) || !(await isOverdue(db))) throw error;
    needs.endRunner(runner);
    return take();
  });
  if (jobs.length === 0) return [];
  needs.endRunner(runner);
  return jobs.map((jobId) => ({ runnerId: runner.id, jobId, reason }));
}

/** Writes off a runner that lives, with the ends of all its jobs, in one transaction. Resolves to the ids of the jobs. */
async function takeAll(runner: RunnerRow, reason: string, needs: RescueNeeds): Promise<string[]> {
  const { db, clock, rules, forgetSpooled } = needs;
  const message = `Runner ${runner.id} was ended: ${reason}.`;
  const taken = await db.transaction(
    async (sql) => {
      const jobs = await jobsOf(sql, runner.id);
      if (!jobs.some((job) => hasLapsed(job, clock))) return [];
      if (!(await markLost(sql, runner.id, reason, clock.now()))) return [];
      const words = jobs.map((job) => {
        const late: Outcome = { kind: 'failed', code: 'timeout', message, isTransient: true };
        return lastWord(
          job,
          runner,
          hasLapsed(job, clock) ? late : { kind: 'lost', message },
          jobs.length === 1,
          needs,
        );
      });
      for (const ended of words) await writeOne(sql, ended, rules, clock.now());
      return words;
    },
    { durable: true },
  );
  for (const { key, spooled } of taken) if (spooled) forgetSpooled(key);
  return taken.map(({ key }) => key.jobId);
}

/** How the attempt of a lost runner ended: as the runner has left word, if it did. */
function lastWord(job: JobRow, runner: RunnerRow, otherwise: Outcome, isAlone: boolean, needs: RescueNeeds) {
  const key: AttemptKey = { jobId: job.id, token: job.attempt_token ?? '' };
  // What a host knew without having synced it may be gone with its own end.
  if (runner.boot_id === needs.clock.bootId && needs.neverBegan?.(key, runner.id)) {
    return { key, spooled: undefined, outcome: notBegun(`Runner ${runner.id} was lost before it began this job.`) };
  }
  const spooled = needs.readSpooled(key, runner.id, isAlone);
  return { key, spooled, outcome: spooled ?? otherwise };
}

function jobsOf(sql: Sql, runnerId: string): Promise<JobRow[]> {
  return sql.all<JobRow>("select * from jobs where runner_id = ? and status = 'running' order by seq", runnerId);
}
