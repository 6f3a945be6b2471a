import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { isUnavailable } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import type { JobStore } from '../core/jobs/job-store.js';
import { type AttemptKey, type Outcome, spendingOf } from '../core/jobs/outcome.js';
import { type Attempt, type AttemptNeeds, startAttempt } from './attempt.js';
import { logJobEnd } from './job-log.js';
import { keepOutcome } from './keep-outcome.js';
import type { Spool } from './spool.js';

export interface DrainNeeds extends Omit<AttemptNeeds, 'stopGraceMs'> {
  runnerId: string;
  jobs: JobStore;
  spool: Spool;
  log: Log;
  /** How long an agent may take to stop; 6 s unless a test says otherwise. */
  stopGraceMs?: number;
}

export interface Drain {
  /** Resolves when the queue is empty or the runner was told to end. Rejects when the database cannot be used. */
  readonly done: Promise<DrainEnd>;
  /** `listener` is called whenever a job was taken: perhaps there are more of them than runners. */
  onTaken(listener: () => void): void;
  /** `listener` is called when a time that the runner waited for has come: a task may start that is no job yet. */
  onDue(listener: () => void): void;
  /** SIGTERM: cancels the job under way if that was asked for, otherwise gives it back and ends. */
  onTerminate(): void;
  /** An error that no agent caught: the job under way fails with it, and the runner ends. */
  onUncaught(error: unknown): void;
  /** This process ends with a job under way, because its agent said so: the job fails with that. Synchronous. */
  onExit(code: number): void;
}

export interface DrainEnd {
  /**
   * Code of an agent still runs, or an error that nobody caught has left this process in a state that nobody knows: it
   * must be ended by force, its whole group with it, and the queue left to a successor.
   */
  isBroken: boolean;
}

const beatMs = 10_000;
const waitPollMs = 500;
/** An agent's own children have 5 s between SIGTERM and SIGKILL; what follows them must not outrun that. */
const usualStopGraceMs = 6_000;
const queuePatienceMs = 60_000;

/** Claims jobs and runs them, one at a time, until none is left. */
export function startDrain(needs: DrainNeeds): Drain {
  const { runnerId, jobs, log, stopGraceMs = usualStopGraceMs } = needs;
  let current: { attempt: Attempt; key: AttemptKey; crash?: string } | undefined;
  let mustEnd = false;
  let isBroken = false;
  /** Ends a wait for work at once. */
  const waking = new AbortController();
  let taken = () => {};
  let due = () => {};

  /** Deleted, or moved away with its directory: what is written to it now, nobody will read. */
  const hadFile = existsSync(needs.db.location);
  const isDatabaseGone = () => hadFile && !existsSync(needs.db.location);

  async function drain(): Promise<DrainEnd> {
    if (!(await jobs.registerRunner(runnerId))) {
      log.warn('this runner has no permit any more', { runner: runnerId });
      return { isBroken };
    }
    const heartbeat = setInterval(() => void beat(), beatMs);
    try {
      while (!mustEnd && !isBroken && !isDatabaseGone()) {
        const step = await nextStep();
        if (step.do === 'leave') break;
        if (step.do === 'wait') await waitForWork(step.until);
        else await runJob(step.job);
      }
      return { isBroken };
    } finally {
      clearInterval(heartbeat);
      await jobs.leave(runnerId).catch((error: unknown) => log.warn('could not sign off', { error }));
    }
  }

  /** A queue that cannot be read for a moment is no reason to leave it without a runner. */
  async function nextStep() {
    for (const giveUpAt = performance.now() + queuePatienceMs; ; await sleep(waitPollMs)) {
      try {
        return await jobs.nextStep(runnerId);
      } catch (error) {
        if (!isUnavailable(error) || performance.now() > giveUpAt || mustEnd) throw error;
        log.warn('the queue could not be read', { error });
      }
    }
  }

  /** Looks without the write lock, and comes back for a next step when something is ready or a heartbeat is due. */
  async function waitForWork(until: number): Promise<void> {
    const lookAgainAt = performance.now() + beatMs;
    let isDueSaid = false;
    while (!mustEnd && !isBroken && !isDatabaseGone() && performance.now() < lookAgainAt) {
      const dueMs = until - needs.clock.now();
      const pauseMs = dueMs > 0 ? Math.min(waitPollMs, dueMs) : waitPollMs;
      await sleep(pauseMs, undefined, { signal: waking.signal }).catch(() => {});
      if (await jobs.hasReady().catch(() => true)) return;
      if (dueMs <= 0 && !isDueSaid) due();
      isDueSaid ||= dueMs <= 0;
    }
  }

  async function runJob(job: JobRow): Promise<void> {
    const startedAt = performance.now();
    const attempt = startAttempt(job, { ...needs, stopGraceMs });
    current = { attempt, key: { jobId: job.id, token: job.attempt_token ?? '' } };
    log.info('job_started', { job_id: job.id, type: job.type, attempt: job.attempt });
    taken();
    // It was claimed while the signal came.
    if (mustEnd) void terminate();
    const ended = await attempt.outcome;
    const { crash, key } = current;
    current = undefined;
    isBroken ||= attempt.isStuck;
    const outcome = crash === undefined || ended === 'superseded' ? ended : crashed(ended, crash);
    const durationMs = Math.round(performance.now() - startedAt);
    const row = outcome === 'superseded' ? undefined : await keepOutcome(key, outcome, needs);
    if (row) logJobEnd(log, row, durationMs);
    else log.info('job_superseded', { job_id: job.id, type: job.type, attempt: job.attempt, duration_ms: durationMs });
  }

  async function beat(): Promise<void> {
    const watched = current;
    try {
      const state = await jobs.heartbeat(runnerId, watched?.key);
      if (!watched || watched !== current) return;
      if (!state) watched.attempt.stop('superseded');
      else if (state.isCancelRequested) watched.attempt.stop('cancelled');
    } catch (error) {
      log.warn('heartbeat failed', { error });
    }
  }

  async function terminate(): Promise<void> {
    const watched = current;
    const state = watched && (await jobs.heartbeat(runnerId, watched.key).catch(() => undefined));
    if (watched && state?.isCancelRequested) {
      watched.attempt.stop('cancelled');
      return;
    }
    mustEnd = true;
    waking.abort();
    watched?.attempt.stop('ending');
  }

  return {
    done: drain(),
    onTaken(listener) {
      taken = listener;
    },
    onDue(listener) {
      due = listener;
    },
    onTerminate: () => void terminate(),
    onUncaught(error) {
      log.error('uncaught error', { error });
      isBroken = true;
      waking.abort();
      if (!current) return;
      current.crash = needs.redact(messageOf(error));
      current.attempt.stop('ending');
    },
    onExit(code) {
      if (!current) return;
      const message = `The agent ended its process (exit code ${code}). An agent throws when it fails.`;
      // Whoever finds this runner gone takes it from there.
      needs.spool.put(current.key, { kind: 'failed', code: 'exited', message, isTransient: false });
    },
  };
}

/** A job that was done in spite of the error is done. */
function crashed(outcome: Outcome, message: string): Outcome {
  const spending = spendingOf(outcome);
  if (outcome.kind !== 'completed') {
    return { ...spending, kind: 'failed', code: 'internal', message: `Uncaught error: ${message}`, isTransient: false };
  }
  const warning = `An error went uncaught while it was worked on: ${message}`;
  return { ...outcome, warnings: [...(spending.warnings ?? []), warning] };
}
