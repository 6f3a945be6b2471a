import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { EpochMs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { EndedAttempt } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import type { JobStore } from '../core/jobs/job-store.js';
import type { Lane } from '../core/jobs/lane.js';
import { type AttemptKey, notBegun, type Outcome } from '../core/jobs/outcome.js';
import { type Attempt, type AttemptNeeds, crashed, type StopReason, startAttempt } from './attempt.js';
import { Beginnings } from './beginnings.js';
import { HeldJobs } from './held-jobs.js';
import { logJobEnd } from './job-log.js';
import { persistTurn, type Spool } from './persist-outcome.js';
import type { AttemptWatch, Watchdog } from './watchdog.js';

export interface DrainNeeds extends Omit<AttemptNeeds, 'stopGraceMs' | 'onTimeout'> {
  runnerId: string;
  jobs: JobStore;
  spool: Spool;
  log: Log;
  /** Ends an attempt that holds the thread beyond its time, and finds the call that holds the thread of a runner of many. */
  watchdog?: Watchdog | undefined;
  /** How long an agent may take to stop; 6 s unless a test says otherwise. */
  stopGraceMs?: number;
  /** With more memory than this a runner takes no further call beside those it has, megabytes. */
  roomyMb?: number | undefined;
}

export interface DrainEnd {
  /**
   * The process cannot be trusted any more: an agent's code still runs, or an error went uncaught. End it by force, with
   * its whole group, and leave the queue to another runner.
   */
  isBroken: boolean;
  /** It was told to end: what is left of the queue is for those whom a session starts. */
  isStopped: boolean;
}

const heartbeatMs = 10_000;
/** How often a runner asks whether its attempts are still its own, and wanted. */
const lookMs = 200;
/** How often one that carries calls and has room asks for more. */
const moreMs = 100;
const waitPollMs = 500;
/** Of short jobs those that end within the time of one turn are written together, and within this at the most. */
const mostGatherMs = 20;
/** An agent's own children have 5 s between SIGTERM and SIGKILL, so the agent itself must have longer. */
const usualStopGraceMs = 6_000;

/** Why a job that was claimed and not begun goes back. */
const stopped = 'Its runner was stopped before it began this job.';

/** A job under way. */
interface Carried {
  readonly job: JobRow;
  readonly key: AttemptKey;
  readonly attempt: Attempt;
  readonly watch: AttemptWatch | undefined;
  /** By `performance.now`. */
  readonly startedAt: number;
  /** The message of an error that went uncaught meanwhile. */
  crash?: string;
}

/** An attempt that is over, and its outcome not yet written. */
interface Over extends EndedAttempt {
  job: JobRow;
  durationMs: number;
}

/** Claims jobs and runs them, as many at once as its lane allows, until none is left. Starts at once. */
export class Drain {
  /** Resolves when the queue is empty or the runner was stopped. Rejects when the database cannot be used. */
  readonly done: Promise<DrainEnd>;

  readonly #needs: DrainNeeds;
  /** The attempts under way, by their tokens. */
  readonly #carried = new Map<string, Carried>();
  /** The token of the attempt to which the code that runs right now belongs. */
  readonly #current = new AsyncLocalStorage<string>();
  /** Claimed, and not begun. */
  readonly #held = new HeldJobs(() => this.#giveBack('Jobs before it took longer than expected.'));
  readonly #begun: Beginnings;
  #over: Over[] = [];
  /** How long the last turn took to be written. */
  #turnMs = 0;
  /** The attempt that ended last, for what its agent has left running. */
  #ended: AttemptKey | undefined;
  #lane: Lane = 'process';
  #capacity = 1;
  #mustEnd = false;
  /** Told to end by a signal, whatever is left of the queue. */
  #isStopped = false;
  #isBroken = false;
  #isLooking = false;
  #wake = () => {};
  #moved = () => {};
  #due = () => {};

  constructor(needs: DrainNeeds) {
    this.#needs = needs;
    this.#begun = new Beginnings(needs.dataDir, needs.runnerId);
    this.done = this.#run();
  }

  /**
   * `listener` is called whenever jobs were taken or have ended: there may be more jobs than runners, or jobs of the other
   * lane that waited for these.
   */
  onMoved(listener: () => void): void {
    this.#moved = listener;
  }

  /** Whether others may be needed beside this one: not as long as its first turns are still to show it. */
  get mayNeedOthers(): boolean {
    return !this.#held.isJudging;
  }

  /** `listener` is called when a time that the runner waited for has come: a task of a run may become a job now. */
  onDue(listener: () => void): void {
    this.#due = listener;
  }

  /** For SIGTERM: cancels the jobs under way whose cancellation was requested; if there is none, returns all and ends. */
  readonly onTerminate = (): void => void this.#terminate();

  /**
   * For an error that no agent caught: the job whose code threw it fails with it. The others go on, and the runner ends
   * with them.
   */
  readonly onUncaught = (error: unknown): void => {
    const { log, redact, jobs } = this.#needs;
    const token = this.#current.getStore();
    const thrower = this.#find(token);
    const ended = this.#ended?.token === token ? this.#ended : undefined;
    log.error('uncaught error', { error, job_id: thrower?.job.id ?? ended?.jobId });
    this.#distrust();
    const message = redact(messageOf(error));
    if (thrower) {
      thrower.crash = message;
      thrower.attempt.logUncaught(error);
      thrower.attempt.stop('ending');
    } else if (ended) {
      const warning = `An error went uncaught after the job had ended: ${message}`;
      jobs.warn(ended.jobId, warning).catch((failure: unknown) => log.warn('a warning was lost', { warning, failure }));
    }
  };

  /** For an agent that ends its own process: saves the failure of its job to a file, for the process that rescues it. Synchronous. */
  readonly onExit = (code: number): void => {
    const ender = this.#find(this.#current.getStore());
    if (!ender) return;
    const message = `The agent ended its process (exit code ${code}). An agent throws when it fails.`;
    this.#needs.spool.put(ender.key, { kind: 'failed', code: 'exited', message, isTransient: false });
  };

  async #run(): Promise<DrainEnd> {
    const { jobs, runnerId, log } = this.#needs;
    const permit = await jobs.registerRunner(runnerId);
    if (!permit) {
      log.warn('this runner has no permit any more', { runner: runnerId });
      this.#begun.close();
      return { isBroken: this.#isBroken, isStopped: this.#isStopped };
    }
    this.#lane = permit.lane;
    this.#capacity = permit.capacity;
    if (this.#lane === 'call') this.#watch();
    const timers = [
      setInterval(() => void this.#heartbeat(), heartbeatMs),
      setInterval(() => void this.#look(), lookMs),
    ];
    try {
      while (this.#mayTake() || this.#isBusy()) await this.#takeTurn();
      return { isBroken: this.#isBroken, isStopped: this.#isStopped };
    } finally {
      for (const timer of timers) clearInterval(timer);
      if (!this.#isBusy()) this.#begun.close();
      await jobs.leave(runnerId).catch((error: unknown) => log.warn('could not sign off', { error }));
    }
  }

  /** Writes what has ended, starts what it could claim, and waits for something to do. */
  async #takeTurn(): Promise<void> {
    const over = this.#over.splice(0);
    this.#held.judge(over, this.#capacity);
    const askedAt = performance.now();
    const { spare, isEnough } = this.#held;
    const haste = { spare, isEnough };
    const { ended, next, lockedMs } = await persistTurn(this.#needs.runnerId, over, this.#room(), this.#needs, haste);
    this.#turnMs = performance.now() - askedAt;
    this.#held.turned(lockedMs);
    for (const [index, { job, key, durationMs }] of over.entries()) {
      this.#begun.settle(key.token);
      this.#logEnd(job, ended[index], durationMs);
    }
    if (next.do === 'leave') this.#mustEnd = true;
    if (next.do === 'run') this.#held.hold(next.jobs);
    this.#beginHeld();
    this.#held.watch();
    if (over.length > 0 || (next.do === 'run' && next.jobs.length > 0)) this.#moved();
    // A signal may have come while the jobs were being claimed; a runner that was written off has lost all it carries.
    if (this.#mustEnd) this.#stopAll(next.do === 'leave' ? 'superseded' : 'ending');
    if (next.do === 'wait') await this.#waitUntil(next.until);
    else if (next.do === 'rest') await this.#rest();
    else await this.#untilTurn();
  }

  /** Attempts that end in the same round of the event loop are written together, and so are short ones that end soon after. */
  async #untilTurn(): Promise<void> {
    while (this.#over.length === 0 && this.#carried.size > 0) {
      await this.#pause(this.#room() > 0 ? moreMs : undefined);
      if (this.#over.length === 0 && this.#room() > 0 && (await this.#hasReady())) return;
    }
    if (this.#over.length === 0) return;
    const gatherUntil = performance.now() + Math.min(this.#turnMs, mostGatherMs);
    do await nextRound();
    while (this.#held.spare > 0 && this.#carried.size > 0 && performance.now() < gatherUntil);
  }

  /** Polls without the write lock. Returns for a next turn when a job is ready or a heartbeat is due. */
  async #waitUntil(until: EpochMs): Promise<void> {
    const { clock } = this.#needs;
    const lookAgainAt = performance.now() + heartbeatMs;
    let isDueSaid = false;
    while (this.#mayTake() && performance.now() < lookAgainAt) {
      const dueMs = until - clock.now();
      await this.#pause(dueMs > 0 ? Math.min(waitPollMs, dueMs) : waitPollMs);
      if (await this.#hasReady()) return;
      if (dueMs <= 0 && !isDueSaid) this.#due();
      isDueSaid ||= dueMs <= 0;
    }
  }

  /** While another runner does what this one could. */
  async #rest(): Promise<void> {
    const { jobs, runnerId } = this.#needs;
    do await this.#pause(moreMs);
    while (this.#mayTake() && (await jobs.isSpared(this.#lane, runnerId).catch(() => false)));
  }

  /** Resolves after a time, or when something has ended, or must. */
  async #pause(ms: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      // Without a time it waits for an attempt; the timers of this runner keep the process alive meanwhile.
      timer = setTimeout(resolve, ms ?? heartbeatMs);
    });
    clearTimeout(timer);
    this.#wake = () => {};
  }

  #hasReady(): Promise<boolean> {
    return this.#needs.jobs.hasReady(this.#lane, this.#needs.runnerId).catch(() => true);
  }

  #mayTake(): boolean {
    return !this.#mustEnd && !this.#isBroken && this.#needs.db.isHere();
  }

  #isBusy(): boolean {
    return this.#carried.size > 0 || this.#held.size > 0 || this.#over.length > 0;
  }

  #room(): number {
    if (!this.#mayTake()) return 0;
    const { roomyMb = Number.POSITIVE_INFINITY } = this.#needs;
    if (this.#carried.size > 0 && process.memoryUsage.rss() > roomyMb * 1_000_000) return 0;
    return Math.max(0, this.#capacity - this.#carried.size - this.#held.size);
  }

  /** Begins jobs that were claimed, as many as may run at once. One that must end hands them back instead. */
  #beginHeld(): void {
    if (!this.#mayTake()) this.#giveBack(stopped);
    while (this.#held.size > 0 && this.#carried.size < this.#capacity) {
      for (const job of this.#held.next(this.#capacity - this.#carried.size)) this.#start(job);
    }
  }

  /** Puts jobs that were claimed and not begun back into the queue. */
  #giveBack(message: string): void {
    for (const job of this.#held.take()) this.#endUnbegun(job, notBegun(message));
    this.#wake();
  }

  #endUnbegun(job: JobRow, outcome: Outcome): void {
    this.#over.push({ job, key: keyOf(job), durationMs: 0, outcome });
  }

  #start(job: JobRow): void {
    const { log, watchdog, stopGraceMs = usualStopGraceMs } = this.#needs;
    const key = keyOf(job);
    const { token } = key;
    this.#begun.add(token);
    // Before any of the agent's code runs, which may never let go of the thread.
    const watch = watchdog?.watchAttempt(token, job.timeout_seconds);
    const needs = { ...this.#needs, stopGraceMs, onTimeout: watch?.isTold };
    const attempt = this.#current.run(token, () => startAttempt(job, needs));
    const carried: Carried = { job, key, attempt, watch, startedAt: performance.now() };
    this.#carried.set(token, carried);
    log.info('job_started', { job_id: job.id, type: job.type, attempt: job.attempt });
    void attempt.outcome.then((outcome) => this.#end(carried, outcome));
  }

  #end(carried: Carried, ended: Outcome | 'superseded'): void {
    const { job, key, attempt, crash, startedAt } = carried;
    this.#carried.delete(key.token);
    carried.watch?.isOver();
    this.#ended = key;
    if (attempt.isStuck) this.#distrust();
    const durationMs = Math.round(performance.now() - startedAt);
    if (ended === 'superseded') this.#logEnd(job, undefined, durationMs);
    else this.#over.push({ job, key, durationMs, outcome: crash === undefined ? ended : crashed(ended, crash, job) });
    this.#beginHeld();
    this.#wake();
  }

  #logEnd({ id, type, attempt }: JobRow, row: JobRow | undefined, durationMs: number): void {
    if (row) logJobEnd(this.#needs.log, row, durationMs);
    else this.#needs.log.info('job_superseded', { job_id: id, type, attempt, duration_ms: durationMs });
  }

  /** The attempt with this token; without one, the attempt that is the only one. */
  #find(token: string | undefined): Carried | undefined {
    if (token !== undefined) return this.#carried.get(token);
    const [only, ...others] = this.#carried.values();
    return others.length === 0 ? only : undefined;
  }

  /** Takes no more jobs, and ends by force when those it carries have ended. */
  #distrust(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { jobs, runnerId, log } = this.#needs;
    jobs.retire(runnerId).catch((error: unknown) => log.warn('still counted as a runner with room', { error }));
    this.#giveBack(stopped);
  }

  #watch(): void {
    const current = () => this.#current.getStore();
    this.#needs.watchdog?.watchThread(current, (token) => {
      const blocker = this.#carried.get(token);
      if (!blocker) return;
      const { id: job_id, type } = blocker.job;
      this.#needs.log.warn('a job held the thread that it shares', { job_id, type });
      blocker.attempt.stop('blocking');
    });
  }

  async #heartbeat(): Promise<void> {
    const { jobs, runnerId, log } = this.#needs;
    await jobs.heartbeat(runnerId).catch((error: unknown) => log.warn('heartbeat failed', { error }));
  }

  /** Stops the attempts that are to be cancelled, or are no longer this runner's. */
  async #look(): Promise<number> {
    const asked = [...this.#carried.values()];
    const held = new Set(this.#held.list());
    if (asked.length + held.size === 0 || this.#isLooking) return 0;
    this.#isLooking = true;
    try {
      const own = new Map((await this.#needs.jobs.carried(this.#needs.runnerId)).map((row) => [row.token, row]));
      for (const { key, attempt } of asked) if (!own.has(key.token)) attempt.stop('superseded');
      const cancelled = asked.filter(({ key }) => own.get(key.token)?.isCancelRequested);
      for (const { attempt } of cancelled) attempt.stop('cancelled');
      const isOver = (job: JobRow) => held.has(job) && own.get(keyOf(job).token)?.isCancelRequested !== false;
      const unbegun = this.#held.take(isOver);
      for (const job of unbegun) this.#endUnbegun(job, { kind: 'cancelled' });
      if (unbegun.length > 0) this.#wake();
      return cancelled.length + unbegun.length;
    } catch (error) {
      this.#needs.log.debug('the attempts could not be read', { error });
      return 0;
    } finally {
      this.#isLooking = false;
    }
  }

  async #terminate(): Promise<void> {
    while (this.#isLooking) await nextRound();
    if ((await this.#look()) > 0) return;
    this.#isStopped = true;
    this.#mustEnd = true;
    this.#stopAll('ending');
    this.#giveBack(stopped);
  }

  #stopAll(reason: StopReason): void {
    for (const { attempt } of this.#carried.values()) attempt.stop(reason);
  }
}

const keyOf = ({ id, attempt_token }: JobRow): AttemptKey => ({ jobId: id, token: attempt_token ?? '' });
