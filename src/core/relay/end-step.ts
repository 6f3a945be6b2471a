import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { FailureType } from '../breakers/machine.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import type { Baton } from './baton.js';
import { handOver, releasePermit, reportFailure, reportSuccess } from './hand-over.js';
import { type Pipeline, updatePipeline } from './pipeline.js';
import { insertResult, maxRetries, outputKeyOf, type Step } from './step.js';

/** The step that has the baton. */
export interface OpenStep {
  pipeline: Pipeline;
  step: Step;
  baton: Baton;
}

/** What an attempt at a step delivered, and its scores from 0 to 1. */
export interface StepAttempt {
  qualityScore: number;
  lScore: number;
  tokensUsed: number;
  /** How the output breaks the step's schema. */
  problem?: string | undefined;
  output?: Json | undefined;
  outputSummary?: string | undefined;
  outputEntityId?: number | undefined;
}

/** Why a step did not pass. */
export type StepFailure = 'quality_gate_failed' | 'invalid_output' | 'budget_exhausted' | 'attempt_failed';

export type Advanced =
  | { kind: 'passed'; pipeline: Pipeline; baton: Baton }
  | { kind: 'completed'; pipeline: Pipeline }
  | {
      kind: 'failed';
      pipeline: Pipeline;
      stepIndex: number;
      failure: StepFailure;
      reason: string;
      retriesLeft: number;
    };

/** Stores the result of an attempt. Without an `error` it passed, and it counts. */
export async function recordAttempt(
  sql: Sql,
  { pipeline, step, baton }: OpenStep,
  attempt: StepAttempt,
  error: string | undefined,
  { at }: TimedChange,
): Promise<void> {
  await insertResult(sql, {
    pipelineId: pipeline.id,
    stepIndex: step.stepIndex,
    batonId: baton.id,
    agentId: agentOf(baton, step),
    status: error === undefined ? 'passed' : 'failed',
    isCurrent: error === undefined,
    outputKey: outputKeyOf(step),
    outputEntityId: attempt.outputEntityId ?? null,
    output: attempt.output,
    outputSummary: attempt.outputSummary ?? null,
    qualityScore: attempt.qualityScore,
    lScore: attempt.lScore,
    tokensUsed: attempt.tokensUsed,
    executionTimeMs: Math.max(0, at - baton.createdAt),
    errorMessage: error ?? null,
    createdAt: at,
  });
}

/** Hands the baton to the next step, or completes the relay. */
export async function passStep(
  sql: Sql,
  { pipeline, step, baton }: OpenStep,
  attempt: StepAttempt,
  change: TimedChange,
): Promise<Advanced> {
  const { at } = change;
  await sql.run("update relay_batons set status = 'passed', passed_at = ? where id = ?", at, baton.id);
  await reportSuccess(sql, agentOf(baton, step), baton.id, change);
  const nextStep = baton.stepIndex + 1;
  const isLast = nextStep >= pipeline.totalSteps;
  const advanced = await updatePipeline(
    sql,
    pipeline.id,
    {
      status: isLast ? 'completed' : 'in_progress',
      current_step: nextStep,
      error_code: null,
      error_message: null,
      started_at: pipeline.startedAt ?? baton.createdAt,
      completed_at: isLast ? at : null,
      final_entity_id: isLast ? (attempt.outputEntityId ?? null) : pipeline.finalEntityId,
    },
    at,
  );
  const event = { ...change, subject: 'relay' as const, subjectId: pipeline.id };
  const data = { step: baton.stepIndex, baton_id: baton.id, quality: attempt.qualityScore, l_score: attempt.lScore };
  await recordEvent(sql, { ...event, type: 'step_passed', data });
  if (!isLast) {
    const next = await handOver(sql, advanced, { stepIndex: nextStep, retryCount: 0 }, change);
    return { kind: 'passed', pipeline: advanced, baton: next };
  }
  await recordEvent(sql, { ...event, type: 'completed' });
  return { kind: 'completed', pipeline: advanced };
}

export interface FailedAttempt {
  failure: StepFailure;
  reason: string;
  /** What is reported to the agent's breaker: by the kind of failure unless given, nothing when null. */
  breakerFailure?: FailureType | null;
}

const failureTypes: Record<StepFailure, FailureType> = {
  quality_gate_failed: 'quality_failure',
  invalid_output: 'invalid_output',
  budget_exhausted: 'resource_exhausted',
  attempt_failed: 'exception',
};

/** Fails the step and takes its baton away. It stays failed until it is retried. */
export async function failStep(
  sql: Sql,
  { pipeline, step, baton }: OpenStep,
  { failure, reason, breakerFailure = failureTypes[failure] }: FailedAttempt,
  change: TimedChange,
): Promise<Advanced & { kind: 'failed' }> {
  await sql.run("update relay_batons set status = 'failed' where id = ?", baton.id);
  if (breakerFailure === null) await releasePermit(sql, baton.id);
  else {
    await reportFailure(sql, agentOf(baton, step), baton.id, { type: breakerFailure, message: reason }, change);
  }
  const failed = await updatePipeline(
    sql,
    pipeline.id,
    {
      status: 'failed',
      error_code: failure,
      error_message: reason,
      started_at: pipeline.startedAt ?? baton.createdAt,
    },
    change.at,
  );
  const data = { step: baton.stepIndex, baton_id: baton.id, failure, reason };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'step_failed', data });
  return {
    kind: 'failed',
    pipeline: failed,
    stepIndex: baton.stepIndex,
    failure,
    reason,
    retriesLeft: Math.max(0, maxRetries - baton.retryCount),
  };
}

const agentOf = (baton: Baton, step: Step): string => baton.agentId ?? step.agentId;
