import { rmSync, statSync } from 'node:fs';
import type { Clock, EpochMs } from './base/clock.js';
import type { Config } from './base/config.js';
import { RuntimeError } from './base/errors.js';
import type { Log } from './base/log.js';
import type { Actor } from './core/actor.js';
import type { Reservations } from './core/coordination/reservations.js';
import type { Session, SessionInfo, Sessions } from './core/coordination/sessions.js';
import type { Slots } from './core/coordination/slots.js';
import type { GoalRuns } from './core/goal-runs/goal-runs.js';
import { storedJobCounts } from './core/jobs/job-counts.js';
import type { QueueWorkers } from './core/jobs/queue-workers.js';
import { takeMaintenanceLease } from './core/maintenance-lease.js';
import type { Metrics } from './core/metrics/metrics.js';
import { dropWrongPeriods, sumUpPeriods } from './core/overview/job-periods.js';
import { clearBoard } from './core/retention/clear-board.js';
import { countPurgeable, type Purgeable, type Purged, purge } from './core/retention/purge.js';
import { purgeSchedules } from './core/schedules/schedules.js';
import { storedTaskCounts } from './core/tasks/task-counts.js';
import type { Tasks } from './core/tasks/tasks.js';
import { purgeWorktrees } from './core/worktrees/worktrees.js';
import type { Downstream } from './downstream/downstream.js';
import { deleteOldAnswers } from './downstream/native/answers.js';
import type { Jobs } from './runner/jobs.js';
import type { Deliverer } from './services/event-delivery/deliverer.js';
import type { Scheduler } from './services/schedules.js';
import { checkCounts } from './store/check-counts.js';
import type { Database, Statement } from './store/sql.js';
import {
  type Backup,
  backupPath,
  listBackups,
  newestBackup,
  pathInside,
  removeUnfinished,
} from './store/sqlite/backup.js';
import type { Worktrees } from './worktrees/worktrees.js';

export interface MaintenanceNeeds {
  config: Pick<Config, 'dbPath' | 'retentionDays' | 'isReadOnly'>;
  backupDir: string;
  /** What is added to the name of a duty that each host of a database does for itself; '' where it has one alone. */
  ofHost: string;
  db: Database;
  clock: Clock;
  log: Log;
  sessions: Sessions;
  slots: Slots;
  reservations: Reservations;
  tasks: Tasks;
  goalRuns: GoalRuns;
  queueWorkers: Pick<QueueWorkers, 'sweep'>;
  jobs: Pick<Jobs, 'notice' | 'sweep' | 'removeOldCopies'>;
  scheduler: Pick<Scheduler, 'fireDue' | 'nextDueAt'>;
  metrics: Metrics;
  downstream: Downstream;
  worktrees: Pick<Worktrees, 'sweep'>;
  deliverer: Pick<Deliverer, 'look'>;
}

const heartbeatMs = 10_000;
const sweepMs = 15_000;
/** How long a job may stay with a runner that was killed. */
const noticeMs = 2_000;
const worktreesMs = 600_000;
const periodsMs = 300_000;
const dayMs = 86_400_000;

/** For duties of a process that serves nobody in particular. */
const anonymous: Actor = { holder: null, project: '' };

/**
 * What every process does for all of them: keeps its own sessions alive, recovers what dead processes held, starts
 * runners for waiting jobs, and checks the database once a day. All of it is idempotent, so no leader is needed.
 */
export class Maintenance {
  readonly #needs: MaintenanceNeeds;
  /** Over HTTP one process has many. */
  readonly #sessions = new Map<Session, SessionInfo>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Fires the next schedule between two sweeps. */
  #alarm: NodeJS.Timeout | undefined;
  #isStopped = false;
  #damage: string | undefined;

  constructor(needs: MaintenanceNeeds) {
    this.#needs = needs;
  }

  /**
   * Writes a session's row, and renews it and what it holds until `endSession` or `stop`. Rejects if the row cannot be
   * written now; the next heartbeat tries again. A second call for the same session is no more than a heartbeat.
   */
  async beginSession(session: Session, info: SessionInfo): Promise<void> {
    this.#sessions.set(session, info);
    this.#every(heartbeatMs, 'heartbeat', () => this.heartbeat());
    this.start(session);
    await this.#needs.sessions.begin(session, info);
    await this.runOnce(undefined, session);
  }

  /** Ends one session of several; `stop` ends all of them. */
  async endSession(session: Session): Promise<void> {
    if (this.#sessions.delete(session)) await this.#needs.sessions.end(session);
  }

  /** Renews every session. One that fails does not keep the others from being renewed. */
  async heartbeat(): Promise<void> {
    const { sessions } = this.#needs;
    const beats = [...this.#sessions].map(([session, info]) =>
      this.#attempt('heartbeat', () => sessions.heartbeat(session, info)),
    );
    await Promise.all(beats);
  }

  /** Repeats the duties until `stop`; a second call changes nothing. Runners that it starts are put down to `actor`. */
  start(actor: Actor = anonymous): void {
    this.#every(heartbeatMs, 'write counters', () => this.#needs.metrics.flush());
    this.#every(noticeMs, 'notice lost runners', () => this.#needs.jobs.notice(actor));
    this.#every(noticeMs, 'deliver events', () => this.#needs.deliverer.look());
    this.#every(sweepMs, 'sweep', () => this.runOnce(undefined, actor));
  }

  /** Does every duty that is due at `now`. One that fails is logged and does not keep the others from being done. */
  async runOnce(now: EpochMs = this.#needs.clock.now(), actor: Actor = anonymous): Promise<void> {
    const { sessions, slots, reservations, downstream, backupDir } = this.#needs;
    await this.#attempt('end lost sessions', () => sessions.sweep());
    if (this.#mayLapse()) {
      await this.#attempt('free slots of lost sessions', () => slots.lapse());
      await this.#attempt('free paths of lost sessions', () => reservations.lapse());
    }
    await this.sweepQueue(actor);
    await this.#attempt('end tool servers of lost sessions', () => downstream.sweep());
    await this.#attempt('remove unfinished backups', async () => removeUnfinished(backupDir, now));
    await this.#attempt('remove unused worktrees', () => this.#sweepWorktrees(now));
    await this.#attempt('sum up jobs', () => this.#sumUpJobs(now));
    await this.#attempt('remove old copies', () => this.#removeOldCopies(now));
    await this.#attempt('check the database', () => this.#checkDaily(now));
    await this.#attempt('delete what is old', () => this.#purgeDaily(now));
  }

  /** The duties that keep background work going. Runners do them too, as work goes on when no session is left. */
  async sweepQueue(actor: Actor = anonymous): Promise<void> {
    const { tasks, goalRuns, jobs } = this.#needs;
    if (this.#mayLapse()) await this.#attempt('lapse claims', () => tasks.lapse());
    await this.#attempt('advance goal runs', () => goalRuns.sweep());
    await this.#attempt('write off lost workers', () => this.#needs.queueWorkers.sweep());
    await this.#attempt('rescue jobs and start runners', () => jobs.sweep(actor));
    await this.fireSchedules();
  }

  /** Fires the schedules that are due, and again when the next one is, if that is before the next sweep. */
  async fireSchedules(): Promise<void> {
    const { scheduler, clock, config } = this.#needs;
    if (config.isReadOnly) return;
    await this.#attempt('fire schedules', () => scheduler.fireDue());
    await this.#attempt('look for the next schedule', async () => {
      const inMs = ((await scheduler.nextDueAt()) ?? Number.POSITIVE_INFINITY) - clock.now();
      clearTimeout(this.#alarm);
      // What is due and could not be fired is left to the next sweep.
      if (this.#isStopped || inMs <= 0 || inMs > sweepMs) return;
      this.#alarm = setTimeout(() => void this.fireSchedules(), inMs);
      this.#alarm.unref();
    });
  }

  /** Stops the timers. Returns what a clean end of this process's sessions still has to write. */
  stop(): Statement[] {
    for (const timer of this.#timers.values()) clearInterval(timer);
    this.#timers.clear();
    this.#isStopped = true;
    clearTimeout(this.#alarm);
    return [...this.#sessions.keys()].flatMap((session) => this.#needs.sessions.ending(session));
  }

  /** Throws `unavailable` once the daily check has found the database damaged: what is written to it may be lost. */
  requireSound(): void {
    if (this.#damage === undefined) return;
    const newest = newestBackup(this.#needs.backupDir);
    throw new RuntimeError(
      'unavailable',
      `The database ${this.#needs.config.dbPath} is damaged (${this.#damage}), so nothing more is written to it.`,
      `Keep the file with its -wal and -shm. ${newest ? `Then run: agent-runtime restore "${newest}" --force` : 'There is no backup; `sqlite3 FILE .recover` may save rows.'}`,
    );
  }

  /** Writes a copy of the database to a new file, in the backup directory unless a path is given. */
  async backup(path?: string, label = 'manual'): Promise<{ path: string; sizeBytes: number }> {
    const { db, clock, backupDir } = this.#needs;
    const target = path ?? backupPath({ backupDir, label, now: clock.now(), extension: db.backupExtension });
    await db.backup(target);
    return { path: target, sizeBytes: statSync(target).size };
  }

  /** The same under a name in the backup directory. Throws `invalid` for a path that leads elsewhere. */
  backupAs(name: string | undefined): Promise<{ path: string; sizeBytes: number }> {
    return this.backup(name === undefined ? undefined : pathInside(this.#needs.backupDir, name));
  }

  /** The files of the backup directory that are whole backups, newest first. */
  backups(): Backup[] {
    return listBackups(this.#needs.backupDir);
  }

  /** What `purge` would delete at most. */
  purgeable(before: EpochMs): Promise<Purgeable> {
    return countPurgeable(this.#needs.db, before, this.#needs.clock.now());
  }

  /** Deletes what ended before a time and nothing open depends on, with the files of its jobs. */
  async purge(before: EpochMs, actor: Actor): Promise<Omit<Purged, 'artifactPaths'>> {
    const { db, clock } = this.#needs;
    const { artifactPaths, ...counts } = await purge(db, before, { at: clock.now(), actor }, [
      deleteOldAnswers,
      purgeWorktrees,
      purgeSchedules,
    ]);
    for (const path of artifactPaths) rmSync(path, { force: true });
    return counts;
  }

  /** Deletes every task, after a backup. */
  async clearBoard(actor: Actor): Promise<{ deleted: number; backup: string }> {
    const { db, clock } = this.#needs;
    const { path } = await this.backup(undefined, 'before-clean');
    const deleted = await db.transaction((sql) => clearBoard(sql, { at: clock.now(), actor }));
    return { deleted, backup: path };
  }

  /** Ordinary statements do not notice a damaged page. Checking all pages takes some 50 ms for 50 MB. */
  async #checkDaily(now: EpochMs): Promise<void> {
    const { db, log, config } = this.#needs;
    if (!(await takeMaintenanceLease(db, 'integrity', dayMs, now))) return;
    this.#damage = await db.check();
    if (this.#damage) log.error('the database is damaged', { file: config.dbPath, damage: this.#damage });
    for (const counts of [storedTaskCounts, storedJobCounts]) {
      const wrong = await checkCounts(db, counts);
      if (wrong.length > 0)
        log.warn('stored counts were wrong and have been counted anew', { of: counts.table, wrong });
    }
    const periods = await dropWrongPeriods(db);
    if (periods > 0) log.warn('sums of jobs by time were wrong and are made anew', { periods });
  }

  async #sumUpJobs(now: EpochMs): Promise<void> {
    const { db, config } = this.#needs;
    if (config.isReadOnly) return;
    if (await takeMaintenanceLease(db, 'job-periods', periodsMs, now)) await sumUpPeriods(db, now);
  }

  /** One process of those that are told to keep only what is younger does it for all. */
  async #purgeDaily(now: EpochMs): Promise<void> {
    const { db, log, config } = this.#needs;
    const { retentionDays, isReadOnly } = config;
    if (retentionDays === undefined || isReadOnly) return;
    if (!(await takeMaintenanceLease(db, 'retention', dayMs, now))) return;
    const deleted = await this.purge(now - retentionDays * dayMs, anonymous);
    log.info('what ended long ago was deleted', { retention_days: retentionDays, ...deleted });
  }

  /** Each worktree that is looked at costs some calls of git, so one process does it for all. */
  async #sweepWorktrees(now: EpochMs): Promise<void> {
    const { db, worktrees, ofHost } = this.#needs;
    if (await takeMaintenanceLease(db, `worktrees${ofHost}`, worktreesMs, now)) await worktrees.sweep();
  }

  /** What others have purged leaves its copies on each host. */
  async #removeOldCopies(now: EpochMs): Promise<void> {
    const { db, jobs, ofHost } = this.#needs;
    if (!db.isShared) return;
    if (await takeMaintenanceLease(db, `copies${ofHost}`, dayMs, now)) await jobs.removeOldCopies();
  }

  /** When the database could not be reached, the others could not renew their leases: they go first. */
  #mayLapse(): boolean {
    return this.#needs.db.inTouchMs() > 3 * heartbeatMs;
  }

  #every(ms: number, duty: string, work: () => Promise<unknown>): void {
    if (this.#timers.has(duty)) return;
    const timer = setInterval(() => void this.#attempt(duty, work), ms);
    timer.unref();
    this.#timers.set(duty, timer);
  }

  async #attempt(duty: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#needs.log.warn('a duty failed', { duty, error });
    }
  }
}
