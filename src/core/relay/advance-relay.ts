import { RuntimeError } from '../../base/errors.js';
import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { FailureType } from '../breakers/machine.js';
import { recordEvent } from '../events/events.js';
import type { Change } from '../tasks/dependencies.js';
import { forgetProbe, reportFailure, reportSuccess } from './agent-breakers.js';
import type { BatonRow } from './baton.js';
import { type Attempted, failedGate, type StepFailure } from './gates.js';
import { admitWaiting, handOver, outputKeyOf } from './hand-over.js';
import { maxRetries, type PipelineRow, type StepRow } from './pipeline.js';
import { remainingTokens, spendRelayTokens } from './relay-budget.js';
import { findOpenBaton, findPipeline, findStep } from './relay-rows.js';
import { refuseWhileAtWork } from './step-job.js';

/** What came of a step. */
export interface Advance extends Attempted {
  pipelineId: string;
  /** The baton that the caller worked on; a session that was handed the open one need not name it. */
  batonId?: string | undefined;
  /** The baton that was open when the call came in, by whose schema the output was checked. */
  seenBatonId?: string | undefined;
  output?: Json | undefined;
  outputSummary?: string | undefined;
  outputEntityId?: number | undefined;
  /** Set when a job of the relay says so: its tokens have been counted as they were used. */
  jobId?: string | undefined;
  /** What the judge said, for the retry's prompt. */
  remark?: string | undefined;
}

export type Advanced =
  | { kind: 'passed'; pipeline: PipelineRow; baton: BatonRow }
  | { kind: 'completed'; pipeline: PipelineRow }
  | {
      kind: 'failed';
      pipeline: PipelineRow;
      stepIndex: number;
      failure: StepFailure;
      reason: string;
      retriesLeft: number;
    };

/**
 * Records the attempt at the step that has the baton, and hands the baton on if it passes the gates. Throws `not_found`;
 * `conflict` for a baton that is not the open one, and while a job works on it; `circuit_open` for one that nobody may
 * take yet.
 */
export async function advanceRelay(sql: Sql, attempt: Advance, change: Change): Promise<Advanced> {
  const pipeline = await findPipeline(sql, attempt.pipelineId);
  const baton = await requireBaton(sql, pipeline, attempt, change);
  const step = await findStep(sql, pipeline.id, baton.step_index);
  const left = await remainingTokens(sql, pipeline);
  const isBooked = attempt.jobId !== undefined;
  if (!isBooked) await spendRelayTokens(sql, pipeline, attempt.tokensUsed, change.at);
  const gate = failedGate(step, isBooked ? { ...attempt, tokensUsed: 0 } : attempt, left);
  const failed = gate && withRemark(gate, attempt.remark);
  await insertResult(sql, { pipeline, baton, step, attempt, error: failed?.reason }, change);
  if (failed) return failStep(sql, { pipeline, baton, ...failed }, change);
  return passStep(sql, pipeline, baton, attempt, change);
}

function withRemark<Failed extends { reason: string }>(failed: Failed, remark: string | undefined): Failed {
  return remark ? { ...failed, reason: `${failed.reason} The judge: ${remark}` } : failed;
}

const agentOf = (baton: BatonRow, step: { agent_id: string }): string => baton.agent_id ?? step.agent_id;

async function requireBaton(sql: Sql, pipeline: PipelineRow, attempt: Advance, change: Change): Promise<BatonRow> {
  const baton = await findOpenBaton(sql, pipeline.id);
  if (!baton) throw noBaton(pipeline);
  requireRightBaton(baton, attempt, change);
  if (attempt.jobId === undefined) await refuseWhileAtWork(sql, baton);
  else if (baton.job_id !== attempt.jobId) {
    throw new RuntimeError('conflict', `Baton ${baton.id} is not in the hands of job ${attempt.jobId} any more.`);
  }
  const admitted = await admitWaiting(sql, baton, await findStep(sql, pipeline.id, baton.step_index), change);
  if ('baton' in admitted) return admitted.baton;
  const { refusal, retryAfterMs } = admitted;
  const when = retryAfterMs === undefined ? 'after circuit_breaker_reset' : `in ${Math.ceil(retryAfterMs / 1000)} s`;
  throw new RuntimeError('circuit_open', refusal, `Nothing was written. Try again ${when}.`);
}

/** Of two that hold the same baton the first one wins, whether or not they name it. */
function requireRightBaton(baton: BatonRow, { batonId, seenBatonId = baton.id }: Advance, { actor }: Change): void {
  const where = `the baton is ${baton.id}, of step ${baton.step_index}`;
  const meant = batonId ?? seenBatonId;
  if (meant !== baton.id) {
    throw new RuntimeError(
      'conflict',
      `Baton ${meant} has been passed on or replaced; ${where}.`,
      'Nothing was written. Call get_relay_baton to see what is wanted now.',
    );
  }
  if (batonId !== undefined || (actor?.holder ?? null) === baton.handed_to) return;
  throw new RuntimeError(
    'conflict',
    `In this relay ${where}, and it was not handed to this session.`,
    `Call get_relay_baton; to advance that step, pass baton_id "${baton.id}".`,
  );
}

export function noBaton({ id, status, current_step, error_message }: PipelineRow): RuntimeError {
  const hints: Record<string, string> = {
    failed: `Step ${current_step} failed: ${error_message ?? 'no reason was kept'} Call retry_relay_step with step_index ${current_step}.`,
    completed: 'The relay is completed. retry_relay_step restarts it from any step.',
    cancelled: 'The relay was cancelled.',
  };
  return new RuntimeError(
    'conflict',
    `No active baton found for pipeline ${id}`,
    hints[status] ?? `Call retry_relay_step with step_index ${current_step} to make one.`,
  );
}

interface NewResult {
  pipeline: PipelineRow;
  baton: BatonRow;
  step: StepRow;
  attempt: Omit<Advance, 'pipelineId'>;
  error: string | undefined;
}

export async function insertResult(
  sql: Sql,
  { pipeline, baton, step, attempt, error }: NewResult,
  { at }: Change,
): Promise<void> {
  await sql.run(
    `insert into relay_results (pipeline_id, step_index, baton_id, agent_id, status, is_current, output_key,
       output_entity_id, output, output_summary, quality_score, l_score, tokens_used, execution_time_ms, error_message,
       created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    pipeline.id,
    step.step_index,
    baton.id,
    agentOf(baton, step),
    error === undefined ? 'passed' : 'failed',
    Number(error === undefined),
    outputKeyOf(step),
    attempt.outputEntityId ?? null,
    attempt.output === undefined ? null : JSON.stringify(attempt.output),
    attempt.outputSummary ?? null,
    attempt.qualityScore,
    attempt.lScore,
    attempt.tokensUsed,
    Math.max(0, at - baton.created_at),
    error ?? null,
    at,
  );
}

async function passStep(
  sql: Sql,
  pipeline: PipelineRow,
  baton: BatonRow,
  attempt: Advance,
  change: Change,
): Promise<Advanced> {
  const { at } = change;
  const step = await findStep(sql, pipeline.id, baton.step_index);
  await sql.run("update relay_batons set status = 'passed', passed_at = ? where id = ?", at, baton.id);
  await reportSuccess(sql, agentOf(baton, step), baton.id, change);
  const nextStep = baton.step_index + 1;
  const isLast = nextStep >= pipeline.total_steps;
  await sql.run(
    `update relay_pipelines set status = ?, current_step = ?, error_code = null, error_message = null,
       started_at = coalesce(started_at, ?), completed_at = ?, final_entity_id = ?, updated_at = ? where id = ?`,
    isLast ? 'completed' : 'in_progress',
    nextStep,
    baton.created_at,
    isLast ? at : null,
    isLast ? (attempt.outputEntityId ?? null) : pipeline.final_entity_id,
    at,
    pipeline.id,
  );
  const data = { step: baton.step_index, baton_id: baton.id, quality: attempt.qualityScore, l_score: attempt.lScore };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'step_passed', data });
  const advanced = await findPipeline(sql, pipeline.id);
  if (!isLast) {
    const next = await handOver(sql, advanced, { stepIndex: nextStep, retryCount: 0 }, change);
    return { kind: 'passed', pipeline: advanced, baton: next };
  }
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'completed' });
  return { kind: 'completed', pipeline: advanced };
}

interface FailedStep {
  pipeline: PipelineRow;
  baton: BatonRow;
  failure: StepFailure;
  reason: string;
  /** What the agent's breaker is told; by the kind of failure unless given, nothing when null. */
  breakerFailure?: FailureType | null;
}

const failureTypes: Record<StepFailure, FailureType> = {
  quality_gate_failed: 'quality_failure',
  invalid_output: 'invalid_output',
  budget_exhausted: 'resource_exhausted',
  attempt_failed: 'exception',
};

/** Takes the baton away from a step that did not pass; it stays failed until it is retried. */
export async function failStep(sql: Sql, failed: FailedStep, change: Change): Promise<Advanced & { kind: 'failed' }> {
  const { pipeline, baton, failure, reason } = failed;
  const step = await findStep(sql, pipeline.id, baton.step_index);
  await sql.run("update relay_batons set status = 'failed' where id = ?", baton.id);
  const type = failed.breakerFailure === undefined ? failureTypes[failure] : failed.breakerFailure;
  if (type === null) await forgetProbe(sql, baton.id);
  else await reportFailure(sql, agentOf(baton, step), baton.id, { type, message: reason }, change);
  await sql.run(
    `update relay_pipelines set status = 'failed', error_code = ?, error_message = ?,
       started_at = coalesce(started_at, ?), updated_at = ? where id = ?`,
    failure,
    reason,
    baton.created_at,
    change.at,
    pipeline.id,
  );
  const data = { step: baton.step_index, baton_id: baton.id, failure, reason };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'step_failed', data });
  return {
    kind: 'failed',
    pipeline: await findPipeline(sql, pipeline.id),
    stepIndex: baton.step_index,
    failure,
    reason,
    retriesLeft: Math.max(0, maxRetries - baton.retry_count),
  };
}
