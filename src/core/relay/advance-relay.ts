import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import type { BatonRow } from './baton.js';
import { type Advanced, type Attempt, failStep, insertResult, passStep } from './end-step.js';
import { failedGate } from './gates.js';
import { admitWaiting } from './hand-over.js';
import type { PipelineRow } from './pipeline.js';
import { remainingTokens, spendRelayTokens } from './relay-budget.js';
import { findOpenBaton, findPipeline, findStep } from './relay-rows.js';
import { refuseWhileAtWork } from './step-job.js';

/** What came of a step. */
export interface Advance extends Attempt {
  pipelineId: string;
  /** The baton that the caller worked on; a session that was handed the open one need not name it. */
  batonId?: string | undefined;
  /** The baton that was open when the call came in, by whose schema the output was checked. */
  seenBatonId?: string | undefined;
  /** Set when a job of the relay says so: its tokens have been counted as they were used. */
  jobId?: string | undefined;
  /** What the judge said, for the retry's prompt. */
  remark?: string | undefined;
}

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
