import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../agents/define-agent.js';
import { RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { AttemptKey, Outcome } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import type { Jobs } from '../core/jobs/jobs.js';
import { type Attempt, type AttemptNeeds, startAttempt } from './attempt.js';
import type { Spool } from './spool.js';

export interface DrainNeeds extends Omit<AttemptNeeds, 'stopGraceMs'> {
  runnerId: string;
  jobs: Jobs;
  loadAgent(type: string): Promise<Agent>;
  spool: Spool;
  log: Log;
}

export interface Drain {
  /** Resolves when the queue is empty or the runner was told to end. */
  readonly done: Promise<DrainEnd>;
  /** SIGTERM: cancels the job under way if that was asked for, otherwise gives it back and ends. */
  onTerminate(): void;
  /** An error that no agent caught: the job under way fails with it. */
  onUncaught(error: unknown): void;
}

export interface DrainEnd {
  /** Code of an agent is still running, so this process must be ended by force, its whole group with it. */
  isStuck: boolean;
}

const beatMs = 10_000;
const waitPollMs = 500;
const stopGraceMs = 5_000;
const finishRetryMs = 60_000;

/** Claims jobs and runs them, one at a time, until none is left. */
export function startDrain(needs: DrainNeeds): Drain {
  const { runnerId, jobs, log } = needs;
  let current: { attempt: Attempt; key: AttemptKey; crash?: Outcome } | undefined;
  let mustEnd = false;

  async function drain(): Promise<DrainEnd> {
    if (!(await jobs.registerRunner(runnerId))) {
      log.warn('this runner has no permit any more', { runner: runnerId });
      return { isStuck: false };
    }
    const heartbeat = setInterval(() => void beat(), beatMs);
    try {
      while (!mustEnd) {
        const step = await jobs.nextStep(runnerId);
        if (step.do === 'leave') return { isStuck: false };
        if (step.do === 'wait') await sleep(Math.min(waitPollMs, Math.max(25, step.until - needs.clock.now())));
        else if (await runJob(step.job)) return { isStuck: true };
      }
      return { isStuck: false };
    } finally {
      clearInterval(heartbeat);
      await jobs.leave(runnerId).catch((error: unknown) => log.warn('could not sign off', { error }));
    }
  }

  /** Resolves to whether the agent is still running although its attempt is over. */
  async function runJob(job: JobRow): Promise<boolean> {
    const key: AttemptKey = { jobId: job.id, token: job.attempt_token ?? '' };
    const startedAt = performance.now();
    log.info('job_started', { job_id: job.id, type: job.type, attempt: job.attempt });
    const agent = await needs.loadAgent(job.type);
    const attempt = startAttempt(job, agent, { ...needs, stopGraceMs });
    current = { attempt, key };
    const outcome = await attempt.outcome;
    const { crash } = current;
    current = undefined;
    if (outcome !== 'superseded') await finish(key, crash ?? outcome);
    log.info('job_finished', {
      job_id: job.id,
      type: job.type,
      outcome: outcome === 'superseded' ? outcome : (crash ?? outcome).kind,
      duration_ms: Math.round(performance.now() - startedAt),
    });
    return attempt.isStuck;
  }

  async function finish(key: AttemptKey, outcome: Outcome): Promise<void> {
    try {
      await finishPatiently(key, outcome);
    } catch (error) {
      const path = needs.spool.put(key, outcome);
      log.error('the outcome could not be written to the database and was left in a file', { path, error });
      // Whoever finds this runner gone takes the file over.
      throw error;
    }
  }

  async function finishPatiently(key: AttemptKey, outcome: Outcome): Promise<void> {
    const giveUpAt = performance.now() + finishRetryMs;
    for (let pause = 250; ; pause = Math.min(pause * 2, 5_000)) {
      try {
        await jobs.finish(key, outcome);
        return;
      } catch (error) {
        if (outcome.kind === 'completed' && error instanceof RuntimeError && error.code !== 'unavailable') {
          // What completing it would have done is not possible any more: the goal was cancelled, say.
          return await finishPatiently(key, {
            ...outcome,
            kind: 'failed',
            code: error.code,
            message: error.message,
            isTransient: false,
          });
        }
        if (!(error instanceof RuntimeError) || performance.now() > giveUpAt) throw error;
        log.warn('the outcome could not be written yet', { error });
      }
      await sleep(pause);
    }
  }

  async function beat(): Promise<void> {
    const watched = current;
    try {
      const state = await jobs.beat(runnerId, watched?.key);
      if (!watched || watched !== current) return;
      if (!state) watched.attempt.stop('superseded');
      else if (state.isCancelRequested) watched.attempt.stop('cancelled');
    } catch (error) {
      log.warn('heartbeat failed', { error });
    }
  }

  async function terminate(): Promise<void> {
    const watched = current;
    const state = watched && (await jobs.beat(runnerId, watched.key).catch(() => undefined));
    if (watched && state?.isCancelRequested) {
      watched.attempt.stop('cancelled');
      return;
    }
    mustEnd = true;
    watched?.attempt.stop('ending');
  }

  return {
    done: drain(),
    onTerminate: () => void terminate(),
    onUncaught(error) {
      log.error('uncaught error', { error });
      if (!current) return;
      const message = needs.redact(error instanceof Error ? error.message : String(error));
      current.crash = { kind: 'failed', code: 'internal', message: `Uncaught error: ${message}`, isTransient: false };
      current.attempt.stop('ending');
    },
  };
}
