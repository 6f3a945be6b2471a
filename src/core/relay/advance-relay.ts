import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { TimedChange } from '../change.js';
import { type Baton, listOpenBatons } from './baton.js';
import {
  type Advanced,
  askApproval,
  type FailedAttempt,
  failStep,
  passStep,
  recordAttempt,
  type StepAttempt,
} from './end-step.js';
import { admitWaiting } from './hand-over.js';
import { checkOutput } from './output-schema.js';
import { findPipeline, type Pipeline, remainingTokens, spendRelayTokens } from './pipeline.js';
import { hasRetriesLeft, waysOnWithoutRetries } from './retry-step.js';
import { findStep, type Step } from './step.js';
import { refuseWhileJobWorks } from './step-job.js';

/** An attempt at the step that has the baton. */
export interface AdvanceRequest extends StepAttempt {
  pipelineId: string;
  /** The baton that the caller worked on. The session that was handed the only open one may leave it out. */
  batonId?: string | undefined;
  /** The baton that was open when the request came in: its step's schema is what the output was checked by. */
  seenBatonId?: string | undefined;
  /** Set by a job of the relay, whose tokens were counted as they were used. */
  jobId?: string | undefined;
  /** The judge's reason, for the retry's prompt. */
  remark?: string | undefined;
}

/** Of an output, as JSON. */
const mostOutputCharacters = 5_000_000;

/**
 * Checks the output by the schema of the step whose baton is meant. It comes before the transaction, which could not wait
 * for it. Throws `invalid` for an output that is too long or missing, `conflict` when no baton is open, and when several
 * are and none is named.
 */
export async function checkAttempt(sql: Sql, request: AdvanceRequest): Promise<AdvanceRequest> {
  const length = request.output === undefined ? 0 : JSON.stringify(request.output).length;
  if (length > mostOutputCharacters) {
    throw new RuntimeError(
      'invalid',
      `The output has ${length} characters; at most ${mostOutputCharacters} are allowed.`,
      'Nothing was written. Write it to a file, and pass its path and a summary as the output.',
    );
  }
  const open = await listOpenBatons(sql, request.pipelineId);
  if (open.length === 0) throw await noBaton(sql, await findPipeline(sql, request.pipelineId));
  const baton = request.batonId === undefined ? theOnly(open) : open.find(({ id }) => id === request.batonId);
  // The transaction refuses a baton that is not open, whatever the output is.
  if (!baton) return request;
  const { outputSchema } = await findStep(sql, request.pipelineId, baton.stepIndex);
  if (outputSchema !== null && request.output === undefined) {
    throw new RuntimeError(
      'invalid',
      `Step ${baton.stepIndex} has an output schema, and no output was given.`,
      'Nothing was written. Pass output as its schema says; get_relay_baton shows it.',
    );
  }
  const checked = await checkOutput(outputSchema, request.output);
  const seen = { ...request, seenBatonId: baton.id };
  return 'problem' in checked ? { ...seen, problem: checked.problem } : { ...seen, output: checked.output };
}

/**
 * Records the attempt at the step that has the baton, and hands the baton on if it passes the gates. Throws `not_found`;
 * `conflict` for a baton that is not the open one, and while a job works on it; `circuit_open` while the baton is waiting
 * for a breaker.
 */
export async function advanceRelay(sql: Sql, request: AdvanceRequest, change: TimedChange): Promise<Advanced> {
  const pipeline = await findPipeline(sql, request.pipelineId);
  const waiting = await requireOpenBaton(sql, pipeline, request, change);
  const step = await findStep(sql, pipeline.id, waiting.stepIndex);
  const open = { pipeline, step, baton: await requireAdmitted(sql, waiting, step, change) };
  const remaining = await remainingTokens(sql, pipeline);
  const isCounted = request.jobId !== undefined;
  if (!isCounted) await spendRelayTokens(sql, pipeline, request.tokensUsed, change.at);
  const failed = failedGate(step, isCounted ? { ...request, tokensUsed: 0 } : request, remaining);
  if (failed && request.remark) failed.reason += ` The judge: ${request.remark}`;
  await recordAttempt(sql, open, request, failed?.reason, change);
  if (failed) return failStep(sql, open, failed, change);
  return step.needsApproval ? askApproval(sql, open, request, change) : passStep(sql, open, request, change);
}

async function requireOpenBaton(
  sql: Sql,
  pipeline: Pipeline,
  request: AdvanceRequest,
  change: TimedChange,
): Promise<Baton> {
  const open = await listOpenBatons(sql, pipeline.id);
  if (open.length === 0) throw await noBaton(sql, pipeline);
  const baton = requireMeantBaton(open, request, change);
  if (baton.approvalAskedAt !== null) throw waitsForPerson(baton);
  if (request.jobId === undefined) await refuseWhileJobWorks(sql, baton);
  else if (baton.jobId !== request.jobId) {
    throw new RuntimeError('conflict', `Job ${request.jobId} does not hold baton ${baton.id} any more.`);
  }
  return baton;
}

/** The first of two holders of the same baton wins, whether or not they name it. */
function requireMeantBaton(
  open: readonly Baton[],
  { batonId, seenBatonId }: AdvanceRequest,
  { actor }: TimedChange,
): Baton {
  const meant = batonId ?? seenBatonId ?? theOnly(open).id;
  const baton = open.find(({ id }) => id === meant);
  const where = openOnes(open);
  if (!baton) {
    throw new RuntimeError(
      'conflict',
      `Baton ${meant} has been passed on or replaced; ${where}.`,
      'Nothing was written. Call get_relay_baton to see what is wanted now.',
    );
  }
  if (batonId !== undefined || (actor?.holder ?? null) === baton.handedTo) return baton;
  throw new RuntimeError(
    'conflict',
    `In this relay ${where}, and it was not handed to this session.`,
    `Call get_relay_baton; to advance that step, pass baton_id "${baton.id}".`,
  );
}

/** Throws `conflict` when several are open: a caller has to say which one it means. */
export function theOnly(open: readonly Baton[]): Baton {
  const [first, ...others] = open;
  if (first && others.length === 0) return first;
  throw new RuntimeError(
    'conflict',
    `Steps ${open.map(({ stepIndex }) => stepIndex).join(', ')} work beside each other; ${openOnes(open)}.`,
    'Nothing was written. Pass the one that you mean.',
  );
}

const openOnes = (open: readonly Baton[]): string =>
  `${open.length === 1 ? 'the open baton is' : 'the open batons are'} ${open.map(({ id, stepIndex }) => `${id}, of step ${stepIndex}`).join('; ')}`;

/** The error for a step whose output a person has to see first. */
export function waitsForPerson({ pipelineId, stepIndex }: Baton): RuntimeError {
  return new RuntimeError(
    'conflict',
    `Step ${stepIndex} of relay ${pipelineId} has passed its gates and waits for a person.`,
    `A person lets it pass or sends it back: on the page, or with \`agent-runtime approve ${pipelineId}\`.`,
  );
}

async function requireAdmitted(sql: Sql, baton: Baton, step: Step, change: TimedChange): Promise<Baton> {
  const admitted = await admitWaiting(sql, baton, step, change);
  if ('baton' in admitted) return admitted.baton;
  const { refusal, retryAfterMs } = admitted;
  const when = retryAfterMs === undefined ? 'after circuit_breaker_reset' : `in ${Math.ceil(retryAfterMs / 1000)} s`;
  throw new RuntimeError('circuit_open', refusal, `Nothing was written. Try again ${when}.`);
}

/** The first gate that an attempt does not pass, in words that help the next attempt. */
function failedGate(
  step: Step,
  { qualityScore, lScore, tokensUsed, problem }: StepAttempt,
  remaining: number,
): FailedAttempt | undefined {
  if (tokensUsed > remaining) {
    const reason = `The step used ${tokensUsed} tokens and ${remaining} were left in the relay's budget.`;
    return { failure: 'budget_exhausted', reason };
  }
  if (problem !== undefined) {
    return { failure: 'invalid_output', reason: `The output does not follow the step's schema: ${problem}.` };
  }
  const short = [
    ...(qualityScore < step.qualityThreshold ? [`quality ${qualityScore} is below ${step.qualityThreshold}`] : []),
    ...(lScore < step.lScoreThreshold ? [`l-score ${lScore} is below ${step.lScoreThreshold}`] : []),
  ];
  if (short.length === 0) return undefined;
  return { failure: 'quality_gate_failed', reason: `The gate was not passed: ${short.join(', ')}.` };
}

/** The error for a relay without an open baton: why, and what can be done. */
export async function noBaton(sql: Sql, pipeline: Pipeline): Promise<RuntimeError> {
  const { id, status, currentStep, errorMessage } = pipeline;
  const retry = (await hasRetriesLeft(sql, pipeline))
    ? `Call retry_relay_step with step_index ${currentStep}.`
    : waysOnWithoutRetries(currentStep);
  const hints: Record<string, string> = {
    failed: `Step ${currentStep} failed: ${errorMessage ?? 'no reason was kept.'} ${retry}`,
    completed: 'The relay is completed. retry_relay_step restarts it from any step.',
    cancelled: 'The relay was cancelled. Create a new one with create_relay_pipeline.',
  };
  return new RuntimeError('conflict', `No active baton found for pipeline ${id}`, hints[status] ?? retry);
}
