import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { FailureType } from '../breakers/machine.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { forgetProbe, reportFailure, reportSuccess } from './agent-breakers.js';
import type { BatonRow } from './baton.js';
import type { Attempted, StepFailure } from './gates.js';
import { handOver, outputKeyOf } from './hand-over.js';
import { maxRetries, type PipelineRow, type StepRow } from './pipeline.js';
import { findPipeline, findStep } from './relay-rows.js';

/** What an attempt at a step has brought. */
export interface Attempt extends Attempted {
  output?: Json | undefined;
  outputSummary?: string | undefined;
  outputEntityId?: number | undefined;
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

interface NewResult {
  pipeline: PipelineRow;
  baton: BatonRow;
  step: StepRow;
  attempt: Attempt;
  error: string | undefined;
}

/** Keeps the attempt, whatever came of it; only one that passed counts. */
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

/** Hands the baton to the next step, or completes the relay. */
export async function passStep(
  sql: Sql,
  pipeline: PipelineRow,
  baton: BatonRow,
  attempt: Attempt,
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

const agentOf = (baton: BatonRow, step: { agent_id: string }): string => baton.agent_id ?? step.agent_id;
