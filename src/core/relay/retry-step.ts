import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type Baton, listOpenBatons, newestBatonOf } from './baton.js';
import { handOver, releasePermit } from './hand-over.js';
import { changeRelayBudget, findPipeline, type Pipeline, requireTokens, updatePipeline } from './pipeline.js';
import { stageOf, unpassedSteps } from './stage.js';
import { maxRetries } from './step.js';
import { refuseWhileJobWorks } from './step-job.js';

export interface RetryRequest {
  pipelineId: string;
  /** 0-based. */
  stepIndex: number;
  /** What the next attempt should do differently. */
  feedback?: string | undefined;
  /** The new total of tokens for the whole relay. */
  tokenBudget?: number | undefined;
  /** Counts retries from 0 again: a failed relay is run once more. */
  isFresh?: boolean;
}

export interface Retried {
  pipeline: Pipeline;
  baton: Baton;
  /**
   * The step had passed: it and the stages after it are done again; their results stay in the history. Those that work
   * beside it are not.
   */
  isRestart: boolean;
}

/**
 * Makes a new baton for the step that has it or has failed, or restarts the relay from a step that has passed. Throws
 * `not_found`; `conflict` when the retries are spent, the step has not been reached, or a job works on it;
 * `budget_exhausted`.
 */
export async function retryStep(sql: Sql, request: RetryRequest, change: TimedChange): Promise<Retried> {
  const { stepIndex, feedback, tokenBudget, isFresh = false } = request;
  const pipeline = await findPipeline(sql, request.pipelineId);
  const stage = await stageOf(sql, pipeline.id, stepIndex);
  requireReached(pipeline, stage.first, stepIndex);
  const isUnpassed = (await unpassedSteps(sql, pipeline.id, stage)).includes(stepIndex);
  const isRestart = stepIndex < pipeline.currentStep || !isUnpassed;
  const isReplaced = (index: number) => index === stepIndex || index > stage.last;
  const replaced = (await listOpenBatons(sql, pipeline.id)).filter((baton) => isReplaced(baton.stepIndex));
  for (const baton of replaced) await refuseWhileJobWorks(sql, baton);
  const open = replaced.find((baton) => baton.stepIndex === stepIndex);
  const last = isRestart ? undefined : await newestBatonOf(sql, pipeline.id, stepIndex);
  const retryCount = last && !isFresh ? last.retryCount + 1 : 0;
  if (retryCount > maxRetries) throw outOfRetries(stepIndex, open);
  if (tokenBudget !== undefined) await changeRelayBudget(sql, pipeline, tokenBudget, change.at);
  await requireTokens(sql, pipeline);
  for (const baton of replaced) await setAside(sql, baton);
  await sql.run(
    'update relay_results set is_current = 0 where pipeline_id = ? and (step_index = ? or step_index > ?)',
    pipeline.id,
    stepIndex,
    stage.last,
  );
  const [lowest = stepIndex] = await unpassedSteps(sql, pipeline.id, stage);
  const reasons = [...(last ? await failuresUpTo(sql, last) : []), ...(feedback ? [feedback] : [])];
  const retried = await updatePipeline(
    sql,
    pipeline.id,
    {
      status: 'in_progress',
      current_step: lowest,
      error_code: null,
      error_message: null,
      started_at: pipeline.startedAt ?? change.at,
      completed_at: null,
      final_entity_id: null,
    },
    change.at,
  );
  const data = { step: stepIndex, retry_count: retryCount, ...(feedback ? { feedback } : {}) };
  const type = isRestart ? 'restarted' : 'retried';
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type, data });
  const baton = await handOver(sql, retried, { stepIndex, retryCount, feedback: reasons }, change);
  return { pipeline: retried, baton, isRestart };
}

/** A step is reached with the first one of those that work beside it. */
function requireReached({ id, status, currentStep, totalSteps }: Pipeline, first: number, stepIndex: number): void {
  if (status === 'cancelled') {
    throw new RuntimeError('conflict', `Relay ${id} is cancelled.`, 'Create a new one with create_relay_pipeline.');
  }
  if (stepIndex >= totalSteps) {
    throw new RuntimeError(
      'invalid',
      `Relay ${id} has no step ${stepIndex}: its ${totalSteps} steps are counted from 0.`,
      `Pass a step_index from 0 to ${totalSteps - 1}.`,
    );
  }
  if (first > currentStep) {
    throw new RuntimeError(
      'conflict',
      `Cannot retry step ${stepIndex}: the relay has not reached it, it is at step ${currentStep}.`,
      'Call get_relay_baton and advance_relay to go on.',
    );
  }
}

function outOfRetries(stepIndex: number, open: Baton | undefined): RuntimeError {
  return new RuntimeError(
    'conflict',
    `Cannot retry step ${stepIndex}: max retries exceeded`,
    open
      ? `Its last baton, ${open.id}, is still open: hand in its output with advance_relay.`
      : waysOnWithoutRetries(stepIndex),
  );
}

/** Whether the step that failed last may be retried: what `retryStep` will say. */
export async function hasRetriesLeft(sql: Sql, { id, currentStep }: Pipeline): Promise<boolean> {
  const last = await newestBatonOf(sql, id, currentStep);
  return last === undefined || last.retryCount < maxRetries;
}

/** What still works for a relay when the retries of a step are spent. */
export function waysOnWithoutRetries(stepIndex: number): string {
  const restart = stepIndex > 0 ? `call retry_relay_step with an earlier step_index, such as ${stepIndex - 1}; ` : '';
  return (
    `Step ${stepIndex} has had its ${maxRetries} retries. To go on, ${restart}call run_relay, which gives the step to a ` +
    'model with fresh retries; or start anew with create_relay_pipeline.'
  );
}

async function setAside(sql: Sql, { id }: Baton): Promise<void> {
  await releasePermit(sql, id);
  await sql.run("update relay_batons set status = 'set_aside', approval_asked_at = null where id = ?", id);
}

/** Why this baton and those before it failed. A baton that was replaced without a result passes its feedback on. */
async function failuresUpTo(sql: Sql, last: Baton): Promise<string[]> {
  const failed = await sql.get<{ error_message: string | null }>(
    "select error_message from relay_results where baton_id = ? and status = 'failed' order by id desc limit 1",
    last.id,
  );
  const earlier = last.document.quality_feedback ?? [];
  return failed?.error_message ? [...earlier, failed.error_message] : earlier;
}
