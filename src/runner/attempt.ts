import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, AgentError, Postponed } from '../agents/define-agent.js';
import { RuntimeError } from '../base/errors.js';
import { type Json, type JsonObject, readJson, toJsonText } from '../base/json.js';
import type { Redact } from '../base/redact.js';
import type { Outcome } from '../core/jobs/finish-job.js';
import type { JobRow } from '../core/jobs/job.js';
import { ModelError } from '../core/ports.js';
import { createNotes, type NotesNeeds } from './notes.js';

export interface AttemptNeeds extends NotesNeeds {
  /** How long an agent may take to stop after it was told to. */
  stopGraceMs: number;
}

/** Why an attempt was told to stop; the reason of its AbortSignal. */
export type StopReason = 'cancelled' | 'timeout' | 'superseded' | 'ending';

export interface Attempt {
  /** Never rejects; `superseded` means that there is nothing to write. */
  readonly outcome: Promise<Outcome | 'superseded'>;
  stop(reason: StopReason): void;
  /** Whether the agent's own code still runs although the attempt is over. */
  readonly isStuck: boolean;
}

/** Runs one job with its agent, storing output, progress and log lines as they come. */
export function startAttempt(job: JobRow, agent: Agent, needs: AttemptNeeds): Attempt {
  const controller = new AbortController();
  const notes = createNotes(job, needs);
  let isStuck = true;

  const work = (async () => agent.execute(agentJob(job, agent), notes.context(controller.signal)))();
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
    const outcome = first ?? (await Promise.race([settled, sleep(needs.stopGraceMs)]));
    clearTimeout(timer);
    await notes.close();
    const reason = controller.signal.reason as StopReason | undefined;
    if (reason === 'superseded') return 'superseded';
    // What was done before the stop reached it counts as done.
    if (reason === undefined || outcome?.kind === 'completed') return { ...(outcome ?? noAnswer), ...notes.spending() };
    return { ...stoppedBecause(reason, job), ...notes.spending() };
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

const noAnswer: Outcome = {
  kind: 'failed',
  code: 'internal',
  message: 'The agent gave no answer.',
  isTransient: false,
};

function agentJob(job: JobRow, agent: Agent) {
  return {
    id: job.id,
    type: job.type,
    payload: agent.payload.parse(readJson<Json>(job.payload)),
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
  return { kind: 'failed', code, message, isTransient: error instanceof AgentError && error.isTransient };
}

/** The message, and the vendor's own words as a quotation. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail = error instanceof ModelError && error.detail ? ` It said: ${JSON.stringify(error.detail)}` : '';
  const hint = error instanceof RuntimeError && error.hint ? ` ${error.hint}` : '';
  return `${error.message}${detail}${hint}`;
}

function stoppedBecause(reason: Exclude<StopReason, 'superseded'>, job: JobRow): Outcome {
  switch (reason) {
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'ending':
      return { kind: 'postponed', message: 'Its runner was told to end.', retryAfterMs: 0 };
    case 'timeout':
      return {
        kind: 'failed',
        code: 'timeout',
        message: `Attempt ${job.attempt} took longer than its ${job.timeout_seconds} s.`,
        isTransient: true,
      };
  }
}
