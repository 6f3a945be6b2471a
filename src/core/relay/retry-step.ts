import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { exhausted } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { forgetProbe } from './agent-breakers.js';
import { type BatonRow, isOpenBaton, toBaton } from './baton.js';
import { handOver } from './hand-over.js';
import { maxRetries, type PipelineRow } from './pipeline.js';
import { changeRelayBudget, readRelayBudget, remainingTokens } from './relay-budget.js';
import { findOpenBaton, findPipeline, newestBatonOf } from './relay-rows.js';
import { refuseWhileAtWork } from './step-job.js';

export interface StepRetry {
  pipelineId: string;
  /** 0-based. */
  stepIndex: number;
  /** What the next attempt should do otherwise. */
  feedback?: string | undefined;
  /** Tokens of the whole relay from now on. */
  tokenBudget?: number | undefined;
  /** Counts from the first try again: for someone who orders a failed relay to be run once more. */
  isFresh?: boolean;
}

export interface Retried {
  pipeline: PipelineRow;
  baton: BatonRow;
  /** The step had passed: it and those after it are done again, their results kept in the history. */
  isRestart: boolean;
}

/**
 * Makes a new baton for the step that has it or has failed, or restarts the relay from one that has passed. Throws
 * `conflict` when the retries are spent, the step has not been reached, or a job works on it; `budget_exhausted`.
 */
export async function retryStep(sql: Sql, wish: StepRetry, change: Change): Promise<Retried> {
  const pipeline = await findPipeline(sql, wish.pipelineId);
  requireReached(pipeline, wish.stepIndex);
  const open = await findOpenBaton(sql, pipeline.id);
  if (open) await refuseWhileAtWork(sql, open);
  const isRestart = wish.stepIndex < pipeline.current_step;
  const last = isRestart ? undefined : await newestBatonOf(sql, pipeline.id, wish.stepIndex);
  const retryCount = last && !wish.isFresh ? last.retry_count + 1 : 0;
  if (retryCount > maxRetries) throw spent(wish.stepIndex);
  if (wish.tokenBudget !== undefined) await changeRelayBudget(sql, pipeline, wish.tokenBudget, change.at);
  await requireTokens(sql, await findPipeline(sql, pipeline.id));
  if (open) await forgetProbe(sql, open.id);
  await setAsideFrom(sql, pipeline.id, wish.stepIndex);
  const feedback = [...(last ? await reasonsOf(sql, last) : []), ...(wish.feedback ? [wish.feedback] : [])];
  await sql.run(
    `update relay_pipelines set status = 'in_progress', current_step = ?, error_code = null, error_message = null,
       started_at = coalesce(started_at, ?), completed_at = null, final_entity_id = null, updated_at = ? where id = ?`,
    wish.stepIndex,
    change.at,
    change.at,
    pipeline.id,
  );
  const data = { step: wish.stepIndex, retry_count: retryCount, ...(wish.feedback ? { feedback: wish.feedback } : {}) };
  const type = isRestart ? 'restarted' : 'retried';
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type, data });
  const moved = await findPipeline(sql, pipeline.id);
  const baton = await handOver(sql, moved, { stepIndex: wish.stepIndex, retryCount, feedback }, change);
  return { pipeline: moved, baton, isRestart };
}

function requireReached({ id, status, current_step, total_steps }: PipelineRow, stepIndex: number): void {
  if (status === 'cancelled') {
    throw new RuntimeError('conflict', `Relay ${id} is cancelled.`, 'Create a new one with create_relay_pipeline.');
  }
  if (stepIndex >= total_steps) {
    throw new RuntimeError(
      'invalid',
      `Relay ${id} has no step ${stepIndex}: its ${total_steps} steps are counted from 0.`,
      `Pass a step_index from 0 to ${total_steps - 1}.`,
    );
  }
  if (stepIndex > current_step) {
    throw new RuntimeError(
      'conflict',
      `Cannot retry step ${stepIndex}: the relay has not come to it, it is at step ${current_step}.`,
      'Call get_relay_baton and advance_relay to go on.',
    );
  }
}

function spent(stepIndex: number): RuntimeError {
  return new RuntimeError(
    'conflict',
    `Cannot retry step ${stepIndex}: max retries exceeded`,
    `It has had ${maxRetries} retries. ${stepIndex > 0 ? `Restart from an earlier step, such as ${stepIndex - 1}, or call` : 'Call'} run_relay, perhaps with another model.`,
  );
}

/** Throws `budget_exhausted` when nothing is left of the relay's budget. */
export async function requireTokens(sql: Sql, pipeline: PipelineRow): Promise<void> {
  if ((await remainingTokens(sql, pipeline)) > 0) return;
  const { message } = exhausted(await readRelayBudget(sql, pipeline), 1);
  throw new RuntimeError('budget_exhausted', message, 'Pass a higher token_budget to retry_relay_step or run_relay.');
}

async function setAsideFrom(sql: Sql, pipelineId: string, stepIndex: number): Promise<void> {
  await sql.run(`update relay_batons set status = 'set_aside' where pipeline_id = ? and ${isOpenBaton}`, pipelineId);
  await sql.run(
    'update relay_results set is_current = 0 where pipeline_id = ? and step_index >= ?',
    pipelineId,
    stepIndex,
  );
}

/** Why this baton and those before it failed; one that was only replaced hands on what it was told. */
async function reasonsOf(sql: Sql, last: BatonRow): Promise<string[]> {
  const failed = await sql.get<{ error_message: string | null }>(
    "select error_message from relay_results where baton_id = ? and status = 'failed' order by id desc limit 1",
    last.id,
  );
  const told = toBaton(last).quality_feedback ?? [];
  return failed?.error_message ? [...told, failed.error_message] : told;
}
