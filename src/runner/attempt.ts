import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, type AgentContext, type AgentError, type AgentJob, Postponed } from '../agents/define-agent.js';
import { LeftTimers } from '../agents/left-timers.js';
import { ownStack } from '../agents/own-stack.js';
import { checkPayload } from '../agents/payload-schema.js';
import type { Clock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import { type Json, type JsonObject, readJson, toJsonText } from '../base/json.js';
import type { Redact } from '../base/redact.js';
import { isUnavailable } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import { askJobBreaker, breakerOf } from '../core/jobs/job-breaker.js';
import { modulePrefix } from '../core/jobs/lane.js';
import { type Outcome, spendingOf } from '../core/jobs/outcome.js';
import { ModelError } from '../core/ports.js';
import type { Database } from '../store/sql.js';
import { ProgressWriter, type ProgressWriterNeeds } from './progress-writer.js';

export interface AttemptNeeds extends ProgressWriterNeeds {
  /** Loads the agent of a job by its type and by what the job requires. */
  loadAgent(type: string, requires: string | null): Promise<Agent>;
  /** How long an agent may take to stop after its signal was aborted. */
  stopGraceMs: number;
  /** Is called when the attempt's time is over, before its agent learns of it. */
  onTimeout?: (() => void) | undefined;
}

/** Why an attempt is stopped; the reason of its AbortSignal. */
export type StopReason = 'cancelled' | 'timeout' | 'superseded' | 'ending' | 'blocking';

export interface Attempt {
  /** Never rejects. `superseded` means that there is nothing to write. */
  readonly outcome: Promise<Outcome | 'superseded'>;
  /** Only the first reason counts. */
  stop(reason: StopReason): void;
  /** Writes an error that the agent did not catch to the job's log, with its stack. */
  logUncaught(error: unknown): void;
  /** Whether the agent's code still runs although the attempt is over. */
  readonly isStuck: boolean;
}

/** Runs one job with its agent, and stores output, progress and log entries as they come. */
export function startAttempt(job: JobRow, needs: AttemptNeeds): Attempt {
  const controller = new AbortController();
  const writer = new ProgressWriter(job, needs);
  const context = writer.context(controller.signal);
  const timers = job.requires?.startsWith(modulePrefix) ? new LeftTimers() : undefined;
  let isStuck = true;

  const work = (async () => {
    const agent = await needs.loadAgent(job.type, job.requires);
    const given = await agentJob(job, agent);
    await requireAdmission(job, needs);
    const execute = async () => agent.execute(given, context);
    return timers ? timers.run(execute) : execute();
  })();
  const settled = work.then(
    (result): Outcome => completed(result),
    (error: unknown): Outcome => {
      logStack(error, context);
      return failed(error, needs.redact);
    },
  );
  settled.then(() => {
    isStuck = false;
  });

  const stopped = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()));
  const timer = setTimeout(() => {
    needs.onTimeout?.();
    stop('timeout');
  }, job.timeout_seconds * 1000);

  async function finish(): Promise<Outcome | 'superseded'> {
    const first = await Promise.race([settled, stopped]);
    const late = first ? undefined : await Promise.race([settled, sleep(needs.stopGraceMs)]);
    clearTimeout(timer);
    // What an agent has left behind fails its job, if it throws.
    if (first?.kind === 'completed' && (await timers?.areGone(quietMs)) === false) {
      context.warn('The agent returned while timers of it were still running: what they do is lost.');
    }
    timers?.close();
    await writer.close();
    const reason = controller.signal.reason as StopReason | undefined;
    if (reason === 'superseded') return 'superseded';
    // An attempt that ended by itself, or completed before the stop reached it, keeps its own outcome.
    const own = first ?? (late?.kind === 'completed' ? late : undefined);
    return { ...(own ?? stoppedBecause(reason, job)), ...writer.spending() };
  }

  function stop(reason: StopReason): void {
    controller.abort(reason);
  }

  return {
    outcome: finish(),
    stop,
    logUncaught: (error) => logStack(error, context, 'uncaught: '),
    get isStuck() {
      return isStuck;
    },
  };
}

/** How long an agent that has returned is waited for, when it has left timers running. */
const quietMs = 1_000;

/** Writes where an error was thrown to the job's log. What an agent says on purpose needs no stack, only its cause. */
function logStack(error: unknown, context: AgentContext, prefix = ''): void {
  if (error instanceof Postponed || error instanceof ModelError) return;
  const shown = error instanceof RuntimeError || isAgentError(error) ? error.cause : error;
  const stack = ownStack(shown);
  if (stack !== undefined) context.log('error', `${prefix}${stack.split('\n')[0]}`, { stack });
}

async function agentJob(job: JobRow, agent: Agent): Promise<AgentJob<unknown>> {
  const checked = await checkPayload(agent.payload, readJson<Json>(job.payload));
  if ('problem' in checked) {
    // It was checked when it was submitted, but perhaps by another version of the agent.
    throw new RuntimeError('invalid', `The payload is not one of the agent ${job.type}: ${checked.problem}`);
  }
  return {
    id: job.id,
    type: job.type,
    payload: checked.value,
    metadata: readJson<JsonObject>(job.metadata),
    attempt: job.attempt,
    isLastTry: job.tries >= job.max_attempts,
  };
}

/** A breaker that was tripped by hand may be reset at any moment, so jobs ask again this soon. */
const heldWaitMs = 30_000;

/** Throws `Postponed` when the breaker of the job's type lets nothing through now. */
async function requireAdmission(job: JobRow, { db, clock }: { db: Database; clock: Clock }): Promise<void> {
  // Known since the job was claimed, and most types have none.
  if (job.is_guarded !== undefined && !job.is_guarded) return;
  const admission = await askJobBreaker(db, job, clock);
  if (!admission || admission.allowed) return;
  const { retryAfterMs } = admission;
  const why = retryAfterMs === undefined ? 'was tripped by hand and waits for circuit_breaker_reset' : 'is open';
  const id = breakerOf(job.type);
  throw new Postponed(`The breaker ${id} ${why}; nothing was started.`, retryAfterMs ?? heldWaitMs, [id]);
}

function completed(result: unknown): Outcome {
  const text = toJsonText(result);
  return 'problem' in text
    ? { kind: 'failed', code: 'invalid_output', message: `The agent's ${text.problem}.`, isTransient: false }
    : { kind: 'completed', result: readJson<Json>(text.text) };
}

function failed(error: unknown, redact: Redact): Outcome {
  if (error instanceof Postponed) {
    const { retryAfterMs, blockedBy } = error;
    return { kind: 'postponed', message: redact(error.message), retryAfterMs, blockedBy };
  }
  const message = redact(describe(error));
  if (error instanceof ModelError) {
    return {
      kind: 'failed',
      code: error.failure,
      message,
      isTransient: error.isTransient,
      retryAfterMs: error.retryAfterMs,
    };
  }
  if (isAgentError(error)) {
    const { code, retryAfterMs } = error;
    return { kind: 'failed', code, message, isTransient: error.isTransient === true, retryAfterMs: wait(retryAfterMs) };
  }
  if (error instanceof RuntimeError) {
    return { kind: 'failed', code: error.code, message, isTransient: isUnavailable(error) };
  }
  // A TypeError is told from an error that somebody has worded.
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  return { kind: 'failed', code: 'internal', message: `${name}${message}`, isTransient: false };
}

/** A day at most: a server, or an author, may say anything. */
const longestWaitMs = 86_400_000;

function wait(ms: unknown): number | undefined {
  return typeof ms === 'number' && ms >= 0 ? Math.min(ms, longestWaitMs) : undefined;
}

/** Compares the name, because a module may have its own copy of this package, and so another class. */
function isAgentError(error: unknown): error is AgentError {
  return error instanceof Error && error.name === 'AgentError' && 'code' in error && typeof error.code === 'string';
}

/** The error's message, with the vendor's own words quoted and the hint added. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail = error instanceof ModelError && error.detail ? ` It said: ${JSON.stringify(error.detail)}` : '';
  const hint = error instanceof RuntimeError && error.hint ? ` ${error.hint}` : '';
  const message = detail + hint === '' || /[.!?…]["')]*$/.test(error.message) ? error.message : `${error.message}.`;
  return `${message}${detail}${hint}`;
}

function stoppedBecause(reason: StopReason | undefined, job: JobRow): Outcome {
  switch (reason) {
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'timeout':
      return {
        kind: 'failed',
        code: 'timeout',
        message: `Attempt ${job.attempt} took longer than its ${job.timeout_seconds} s.`,
        isTransient: true,
      };
    case 'blocking': {
      const message =
        'It held the thread that it shared with other calls for 2 s, and goes on in a process of its own.';
      return { kind: 'postponed', message, retryAfterMs: 0, isBlocking: true };
    }
    default:
      return { kind: 'postponed', message: 'Its runner was stopped.', retryAfterMs: 0 };
  }
}

/**
 * The outcome of a job during which an error went uncaught. One of a module fails: part of its work was not done. One of
 * this program's own agents that completed in spite of it stays completed: an answer of a model is paid for.
 */
export function crashed(outcome: Outcome, message: string, { requires }: JobRow): Outcome {
  const spending = spendingOf(outcome);
  const failed = { ...spending, kind: 'failed', code: 'internal', isTransient: false } as const;
  if (outcome.kind !== 'completed') return { ...failed, message: `Uncaught error: ${message}` };
  if (requires?.startsWith(modulePrefix)) {
    const advice = 'Await every promise, and catch what a timer throws.';
    return { ...failed, message: `Uncaught error, although the agent returned a result: ${message} ${advice}` };
  }
  const warning = `An error went uncaught while the job ran: ${message}`;
  return { ...outcome, warnings: [...(spending.warnings ?? []), warning] };
}
