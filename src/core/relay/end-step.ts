import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { FailureType } from '../breakers/machine.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type Baton, listOpenBatons } from './baton.js';
import { handOverStage, releasePermit, reportFailure, reportSuccess } from './hand-over.js';
import { type Pipeline, updatePipeline } from './pipeline.js';
import { stageOf, unpassedSteps } from './stage.js';
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
export type StepFailure = 'quality_gate_failed' | 'invalid_output' | 'budget_exhausted' | 'attempt_failed' | 'rejected';

export type Advanced =
  /** With the batons of the next stage; none while others of this one still work. */
  | { kind: 'passed'; pipeline: Pipeline; batons: Baton[] }
  /** A person has to let it pass. */
  | { kind: 'waiting'; pipeline: Pipeline; stepIndex: number }
  | { kind: 'completed'; pipeline: Pipeline }
  | {
      kind: 'failed';
      pipeline: Pipeline;
      stepIndex: number;
      failure: StepFailure;
      reason: string;
      retriesLeft: number;
    };

/** Stores the result of an attempt. Without an `error` it passed, and it counts, at once or when a person has let it pass. */
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
    isCurrent: error === undefined && !step.needsApproval,
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

/** What a step has passed with. */
export type Passed = Pick<StepAttempt, 'qualityScore' | 'lScore' | 'outputEntityId'>;

/**
 * Lets a step pass whose result counts. The last one of its stage hands the batons to the next stage, or completes the
 * relay.
 */
export async function passStep(
  sql: Sql,
  { pipeline, step, baton }: OpenStep,
  passed: Passed,
  change: TimedChange,
): Promise<Advanced> {
  const { at } = change;
  await sql.run(
    "update relay_batons set status = 'passed', passed_at = ?, approval_asked_at = null where id = ?",
    at,
    baton.id,
  );
  await reportSuccess(sql, agentOf(baton, step), baton.id, change);
  const stage = await stageOf(sql, pipeline.id, baton.stepIndex);
  const unpassed = await unpassedSteps(sql, pipeline.id, stage);
  const nextStep = unpassed[0] ?? stage.last + 1;
  const isLast = nextStep >= pipeline.totalSteps;
  const advanced = await updatePipeline(
    sql,
    pipeline.id,
    {
      ...(isLast ? { ...goingOn, status: 'completed' } : await stateWith(sql, pipeline, unpassed)),
      current_step: nextStep,
      started_at: pipeline.startedAt ?? baton.createdAt,
      completed_at: isLast ? at : null,
      final_entity_id: isLast ? (passed.outputEntityId ?? null) : pipeline.finalEntityId,
    },
    at,
  );
  const event = { ...change, subject: 'relay' as const, subjectId: pipeline.id };
  const data = { step: baton.stepIndex, baton_id: baton.id, quality: passed.qualityScore, l_score: passed.lScore };
  await recordEvent(sql, { ...event, type: 'step_passed', data });
  if (unpassed.length > 0) return { kind: 'passed', pipeline: advanced, batons: [] };
  if (!isLast) {
    const batons = await handOverStage(sql, advanced, nextStep, change);
    return { kind: 'passed', pipeline: advanced, batons };
  }
  await recordEvent(sql, { ...event, type: 'completed' });
  return { kind: 'completed', pipeline: advanced };
}

const goingOn = { status: 'in_progress', error_code: null, error_message: null } as const;

/** A relay of which a step has failed that others work beside stays failed until that one is tried again. */
async function stateWith(sql: Sql, { id, errorCode, errorMessage }: Pipeline, unpassed: readonly number[]) {
  if (unpassed.length === 0) return goingOn;
  const open = await listOpenBatons(sql, id);
  const failed = unpassed.find((index) => !open.some(({ stepIndex }) => stepIndex === index));
  if (failed === undefined) return goingOn;
  const [code, message] = [errorCode ?? 'attempt_failed', errorMessage ?? `Step ${failed} has failed.`];
  return { status: 'failed', error_code: code, error_message: message } as const;
}

/** Keeps the baton of a step that has passed its gates until a person lets it pass. */
export async function askApproval(
  sql: Sql,
  { pipeline, baton }: OpenStep,
  passed: Passed,
  change: TimedChange,
): Promise<Advanced> {
  await sql.run("update relay_batons set status = 'pending', approval_asked_at = ? where id = ?", change.at, baton.id);
  // A person may take days: others are to try the agent meanwhile.
  await releasePermit(sql, baton.id);
  const unpassed = await unpassedSteps(sql, pipeline.id, await stageOf(sql, pipeline.id, baton.stepIndex));
  const state = await stateWith(sql, pipeline, unpassed);
  const started = { ...state, started_at: pipeline.startedAt ?? baton.createdAt };
  const waiting = await updatePipeline(sql, pipeline.id, started, change.at);
  const data = { step: baton.stepIndex, baton_id: baton.id, quality: passed.qualityScore, l_score: passed.lScore };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'approval_asked', data });
  return { kind: 'waiting', pipeline: waiting, stepIndex: baton.stepIndex };
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
  rejected: 'quality_failure',
};

/** Fails the step and takes its baton away. It stays failed until it is retried. */
export async function failStep(
  sql: Sql,
  { pipeline, step, baton }: OpenStep,
  { failure, reason, breakerFailure = failureTypes[failure] }: FailedAttempt,
  change: TimedChange,
): Promise<Advanced & { kind: 'failed' }> {
  await sql.run("update relay_batons set status = 'failed', approval_asked_at = null where id = ?", baton.id);
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
