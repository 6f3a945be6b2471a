import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Agent, AgentError, type AgentJob, Postponed } from '../agents/define-agent.js';
import { RuntimeError } from '../base/errors.js';
import { type Json, type JsonObject, readJson, toJsonText } from '../base/json.js';
import type { Redact } from '../base/redact.js';
import { isUnavailable } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import type { Outcome } from '../core/jobs/outcome.js';
import { ModelError } from '../core/ports.js';
import { createNotes, type NotesNeeds } from './notes.js';
import { requireAdmission } from './require-admission.js';

export interface AttemptNeeds extends NotesNeeds {
  loadAgent(type: string): Promise<Agent>;
  /** How long an agent may take to stop after it was told to. */
  stopGraceMs: number;
}

/** Why an attempt was told to stop; the reason of its AbortSignal. */
export type StopReason = 'cancelled' | 'timeout' | 'superseded' | 'ending';

export interface Attempt {
  /** Never rejects; `superseded` means that there is nothing to write. */
  readonly outcome: Promise<Outcome | 'superseded'>;
  /** Only the first reason counts. */
  stop(reason: StopReason): void;
  /** Whether the agent's own code still runs although the attempt is over. */
  readonly isStuck: boolean;
}

/** Runs one job with its agent, storing output, progress and log lines as they come. */
export function startAttempt(job: JobRow, needs: AttemptNeeds): Attempt {
  const controller = new AbortController();
  const notes = createNotes(job, needs);
  let isStuck = true;

  const work = (async () => {
    const agent = await needs.loadAgent(job.type);
    const given = agentJob(job, agent);
    await requireAdmission(job, needs);
    return agent.execute(given, notes.context(controller.signal));
  })();
  const settled = work.then(
    (result): Outcome => completed(result),
    (error: unknown): Outcome => failed(error, needs.redact),
  );
  settled.then(() => {
    isStuck = false;
  });

  const stopped = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()));
  const timer = setTimeout(() => stop('timeout'), job.timeout_seconds * 1000);

  async function finish(): Promise<Outcome | 'superseded'> {
    const first = await Promise.race([settled, stopped]);
    const late = first ? undefined : await Promise.race([settled, sleep(needs.stopGraceMs)]);
    clearTimeout(timer);
    await notes.close();
    const reason = controller.signal.reason as StopReason | undefined;
    if (reason === 'superseded') return 'superseded';
    // What ended by itself, or was done before the stop reached it, counts as it is.
    const own = first ?? (late?.kind === 'completed' ? late : undefined);
    return { ...(own ?? stoppedBecause(reason, job)), ...notes.spending() };
  }

  function stop(reason: StopReason): void {
    controller.abort(reason);
  }

  return {
    outcome: finish(),
    stop,
    get isStuck() {
      return isStuck;
    },
  };
}

function agentJob(job: JobRow, agent: Agent): AgentJob<unknown> {
  const payload = agent.payload.safeParse(readJson<Json>(job.payload));
  if (!payload.success) {
    // Checked when it was submitted, but perhaps by another version of the agent.
    const reason = z.prettifyError(payload.error);
    throw new RuntimeError('invalid', `The payload is not one of the agent ${job.type}: ${reason}`);
  }
  return {
    id: job.id,
    type: job.type,
    payload: payload.data,
    metadata: readJson<JsonObject>(job.metadata),
    attempt: job.attempt,
    isLastTry: job.tries >= job.max_attempts,
  };
}

function completed(result: unknown): Outcome {
  const text = toJsonText(result);
  return 'problem' in text
    ? { kind: 'failed', code: 'invalid_output', message: `The agent's ${text.problem}.`, isTransient: false }
    : { kind: 'completed', result: readJson<Json>(text.text) };
}

function failed(error: unknown, redact: Redact): Outcome {
  if (error instanceof Postponed) {
    return { kind: 'postponed', message: redact(error.message), retryAfterMs: error.retryAfterMs };
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
  const code = error instanceof AgentError || error instanceof RuntimeError ? error.code : 'internal';
  const isTransient = error instanceof AgentError ? error.isTransient : isUnavailable(error);
  return { kind: 'failed', code, message, isTransient };
}

/** The message, and the vendor's own words as a quotation. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail = error instanceof ModelError && error.detail ? ` It said: ${JSON.stringify(error.detail)}` : '';
  const hint = error instanceof RuntimeError && error.hint ? ` ${error.hint}` : '';
  return `${error.message}${detail}${hint}`;
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
    default:
      return { kind: 'postponed', message: 'Its runner was told to end.', retryAfterMs: 0 };
  }
}
