import { setTimeout as sleep } from 'node:timers/promises';
import type { EpochMs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { isUnavailable } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import type { JobStore } from '../core/jobs/job-store.js';
import { type AttemptKey, type Outcome, spendingOf } from '../core/jobs/outcome.js';
import type { NextStep } from '../core/jobs/runners.js';
import { type Attempt, type AttemptNeeds, startAttempt } from './attempt.js';
import { logJobEnd } from './job-log.js';
import { persistOutcome, type Spool } from './persist-outcome.js';

export interface DrainNeeds extends Omit<AttemptNeeds, 'stopGraceMs'> {
  runnerId: string;
  jobs: JobStore;
  spool: Spool;
  log: Log;
  /** How long an agent may take to stop; 6 s unless a test says otherwise. */
  stopGraceMs?: number;
}

export interface DrainEnd {
  /**
   * The process cannot be trusted any more: an agent's code still runs, or an error went uncaught. End it by force, with
   * its whole group, and leave the queue to another runner.
   */
  isBroken: boolean;
}

const heartbeatMs = 10_000;
const waitPollMs = 500;
/** An agent's own children have 5 s between SIGTERM and SIGKILL, so the agent itself must have longer. */
const usualStopGraceMs = 6_000;
const queuePatienceMs = 60_000;

/** The job under way. */
interface Current {
  readonly attempt: Attempt;
  readonly key: AttemptKey;
  /** The message of an error that went uncaught meanwhile. */
  crash?: string;
}

/** Claims jobs and runs them, one at a time, until none is left. Starts at once. */
export class Drain {
  /** Resolves when the queue is empty or the runner was stopped. Rejects when the database cannot be used. */
  readonly done: Promise<DrainEnd>;

  readonly #needs: DrainNeeds;
  #current: Current | undefined;
  #mustEnd = false;
  #isBroken = false;
  /** Aborted to end a wait for work at once. */
  readonly #waking = new AbortController();
  #taken = () => {};
  #due = () => {};

  constructor(needs: DrainNeeds) {
    this.#needs = needs;
    this.done = this.#run();
  }

  /** `listener` is called whenever a job was taken: there may be more jobs than runners. */
  onTaken(listener: () => void): void {
    this.#taken = listener;
  }

  /** `listener` is called when a time that the runner waited for has come: a task of a run may become a job now. */
  onDue(listener: () => void): void {
    this.#due = listener;
  }

  /** For SIGTERM: cancels the job under way if its cancellation was requested; otherwise returns it and ends. */
  readonly onTerminate = (): void => void this.#terminate();

  /** For an error that no agent caught: the job under way fails with it, and the runner ends. */
  readonly onUncaught = (error: unknown): void => {
    this.#needs.log.error('uncaught error', { error });
    this.#isBroken = true;
    this.#waking.abort();
    if (!this.#current) return;
    this.#current.crash = this.#needs.redact(messageOf(error));
    this.#current.attempt.stop('ending');
  };

  /** For an agent that ends its own process: saves the failure of its job to a file, for the process that rescues it. Synchronous. */
  readonly onExit = (code: number): void => {
    if (!this.#current) return;
    const message = `The agent ended its process (exit code ${code}). An agent throws when it fails.`;
    this.#needs.spool.put(this.#current.key, { kind: 'failed', code: 'exited', message, isTransient: false });
  };

  async #run(): Promise<DrainEnd> {
    const { jobs, runnerId, log } = this.#needs;
    if (!(await jobs.registerRunner(runnerId))) {
      log.warn('this runner has no permit any more', { runner: runnerId });
      return { isBroken: this.#isBroken };
    }
    const timer = setInterval(() => void this.#heartbeat(), heartbeatMs);
    try {
      while (this.#mayGoOn()) {
        const step = await this.#nextStep();
        if (step.do === 'leave') break;
        if (step.do === 'wait') await this.#waitForWork(step.until);
        else await this.#runJob(step.job);
      }
      return { isBroken: this.#isBroken };
    } finally {
      clearInterval(timer);
      await jobs.leave(runnerId).catch((error: unknown) => log.warn('could not sign off', { error }));
    }
  }

  #mayGoOn(): boolean {
    return !this.#mustEnd && !this.#isBroken && this.#needs.db.isHere();
  }

  /** Retries for a minute: a queue that cannot be read for a moment should not lose its runner. */
  async #nextStep(): Promise<NextStep> {
    const { jobs, runnerId, log } = this.#needs;
    for (const giveUpAt = performance.now() + queuePatienceMs; ; await sleep(waitPollMs)) {
      try {
        return await jobs.nextStep(runnerId);
      } catch (error) {
        if (!isUnavailable(error) || performance.now() > giveUpAt || this.#mustEnd) throw error;
        log.warn('the queue could not be read', { error });
      }
    }
  }

  /** Polls without the write lock. Returns for a next step when a job is ready or a heartbeat is due. */
  async #waitForWork(until: EpochMs): Promise<void> {
    const { jobs, clock } = this.#needs;
    const lookAgainAt = performance.now() + heartbeatMs;
    let isDueSaid = false;
    while (this.#mayGoOn() && performance.now() < lookAgainAt) {
      const dueMs = until - clock.now();
      const pauseMs = dueMs > 0 ? Math.min(waitPollMs, dueMs) : waitPollMs;
      await sleep(pauseMs, undefined, { signal: this.#waking.signal }).catch(() => {});
      if (await jobs.hasReady().catch(() => true)) return;
      if (dueMs <= 0 && !isDueSaid) this.#due();
      isDueSaid ||= dueMs <= 0;
    }
  }

  async #runJob(job: JobRow): Promise<void> {
    const { log, stopGraceMs = usualStopGraceMs } = this.#needs;
    const startedAt = performance.now();
    const current: Current = {
      attempt: startAttempt(job, { ...this.#needs, stopGraceMs }),
      key: { jobId: job.id, token: job.attempt_token ?? '' },
    };
    this.#current = current;
    log.info('job_started', { job_id: job.id, type: job.type, attempt: job.attempt });
    this.#taken();
    // The signal may have come while the job was being claimed.
    if (this.#mustEnd) void this.#terminate();
    const ended = await current.attempt.outcome;
    this.#current = undefined;
    this.#isBroken ||= current.attempt.isStuck;
    const outcome = current.crash === undefined || ended === 'superseded' ? ended : crashed(ended, current.crash);
    const durationMs = Math.round(performance.now() - startedAt);
    const row = outcome === 'superseded' ? undefined : await persistOutcome(current.key, outcome, this.#needs);
    if (row) logJobEnd(log, row, durationMs);
    else log.info('job_superseded', { job_id: job.id, type: job.type, attempt: job.attempt, duration_ms: durationMs });
  }

  async #heartbeat(): Promise<void> {
    const current = this.#current;
    const { jobs, runnerId, log } = this.#needs;
    try {
      const state = await jobs.heartbeat(runnerId, current?.key);
      if (!current || current !== this.#current) return;
      if (!state) current.attempt.stop('superseded');
      else if (state.isCancelRequested) current.attempt.stop('cancelled');
    } catch (error) {
      log.warn('heartbeat failed', { error });
    }
  }

  async #terminate(): Promise<void> {
    const current = this.#current;
    const { jobs, runnerId } = this.#needs;
    const state = current && (await jobs.heartbeat(runnerId, current.key).catch(() => undefined));
    if (current && state?.isCancelRequested) {
      current.attempt.stop('cancelled');
      return;
    }
    this.#mustEnd = true;
    this.#waking.abort();
    current?.attempt.stop('ending');
  }
}

/** The outcome of a job during which an error went uncaught. A job that completed in spite of it stays completed. */
function crashed(outcome: Outcome, message: string): Outcome {
  const spending = spendingOf(outcome);
  if (outcome.kind !== 'completed') {
    return { ...spending, kind: 'failed', code: 'internal', message: `Uncaught error: ${message}`, isTransient: false };
  }
  const warning = `An error went uncaught while the job ran: ${message}`;
  return { ...outcome, warnings: [...(spending.warnings ?? []), warning] };
}
