import type { Clock } from '../../base/clock.js';
import { type Json, readJson } from '../../base/json.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { FailureType } from '../breakers/machine.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { haltingCodes } from '../jobs/board-task.js';
import { markRead } from '../jobs/find-job.js';
import { setResult } from '../jobs/finish-job.js';
import type { JobRow } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { advanceRelay } from './advance-relay.js';
import { type BatonRow, isOpenBaton } from './baton.js';
import { type Advanced, failStep, insertResult } from './end-step.js';
import { type PipelineRow, toRunPlan } from './pipeline.js';
import { remainingTokens } from './relay-budget.js';
import { findPipeline, findStep } from './relay-rows.js';
import { retryStep } from './retry-step.js';
import { type RunWish, type StartedRun, startRun } from './start-run.js';
import { relayStep, submitStepJob } from './step-job.js';
import { lostBaton } from './take-baton.js';

export interface StepPayload {
  pipeline_id: string;
  baton_id: string;
  model?: string | undefined;
  judge_model?: string | undefined;
}

/** What a job of a relay has brought. */
export interface StepResult {
  output: Json;
  /** 0 to 1, as the judge scored them; 0 of an output that broke its schema, which no judge has seen. */
  quality_score: number;
  l_score: number;
  /** Why the judge scored so. */
  reason?: string | undefined;
  /** What is wrong with the output by the step's schema. */
  problem?: string | undefined;
}

export type RelayRuns = ReturnType<typeof createRelayRuns>;

/**
 * Relays that work themselves through. A run has no process of its own: the transaction in which the job of a step ends
 * hands the baton on and submits the next job, so that each step counts once and a run outlives every session.
 */
export function createRelayRuns({ db, clock }: { db: Database; clock: Clock }) {
  const onEnded: JobEnded = async (sql, job, { at }) => {
    if (job.type !== relayStep) return;
    const actor = { holder: job.submitted_by, project: job.project };
    await moveOn(sql, job, { at, actor }, clock);
  };

  return {
    onEnded,
    start: (wish: RunWish, actor: Actor): Promise<StartedRun> =>
      db.transaction((sql) => startRun(sql, wish, actor, clock)),
  };
}

type ByActor = Change & { actor: Actor };

async function moveOn(sql: Sql, job: JobRow, change: ByActor, clock: Clock): Promise<void> {
  const { baton_id } = readJson<StepPayload>(job.payload);
  const baton = await sql.get<BatonRow>(
    `select * from relay_batons where id = ? and job_id = ? and ${isOpenBaton}`,
    baton_id,
    job.id,
  );
  if (!baton) {
    // Said on the job, which keeps what it has made.
    if (job.status === 'completed') throw await lostBaton(sql, baton_id, job.id);
    return;
  }
  switch (job.status) {
    case 'completed':
      return goOn(sql, await handIn(sql, job, baton, change), job, change, clock);
    case 'failed':
      return goOn(sql, await giveUp(sql, job, baton, change), job, change, clock);
    default:
      return stop(sql, job, baton, change);
  }
}

/** Its tokens were counted as they were used, those of tries that failed with them. */
const tokensOf = (job: JobRow): number => job.input_tokens + job.output_tokens;

async function handIn(sql: Sql, job: JobRow, baton: BatonRow, change: ByActor): Promise<Advanced> {
  const { output, ...verdict } = readJson<StepResult>(job.result ?? '{}');
  const attempt = {
    pipelineId: baton.pipeline_id,
    batonId: baton.id,
    jobId: job.id,
    qualityScore: verdict.quality_score,
    lScore: verdict.l_score,
    tokensUsed: tokensOf(job),
    output,
    problem: verdict.problem,
    remark: verdict.reason,
  };
  const advanced = await advanceRelay(sql, attempt, change);
  // The output stands in the relay, and as it was given in the job's own output.
  const result = { ...verdict, step: baton.step_index, passed: advanced.kind !== 'failed' };
  await setResult(sql, job, result);
  return advanced;
}

/** Failures that the next try of the step would meet as well. */
const lasting = new Set([...haltingCodes, 'invalid', 'invalid_request', 'conflict']);

/** What a job's failure says of the agent; nothing where the provider or the set-up is to blame. */
const breakerFailures: Record<string, FailureType> = {
  timeout: 'timeout',
  runner_lost: 'exception',
  internal: 'exception',
  refused: 'exception',
  invalid_output: 'invalid_output',
  budget_exhausted: 'resource_exhausted',
};

async function giveUp(sql: Sql, job: JobRow, baton: BatonRow, change: ByActor): Promise<Advanced> {
  const pipeline = await findPipeline(sql, baton.pipeline_id);
  const step = await findStep(sql, pipeline.id, baton.step_index);
  const code = job.error_code ?? 'internal';
  const reason = `Job ${job.id} failed: ${job.error_message ?? 'no reason given'}`;
  const attempt = { qualityScore: 0, lScore: 0, tokensUsed: tokensOf(job), output: job.output ?? undefined };
  await insertResult(sql, { pipeline, baton, step, attempt, error: reason }, change);
  const failed = {
    pipeline,
    baton,
    failure: code === 'budget_exhausted' ? ('budget_exhausted' as const) : ('attempt_failed' as const),
    reason,
    breakerFailure: breakerFailures[code] ?? null,
  };
  const advanced = await failStep(sql, failed, change);
  return lasting.has(code) ? { ...advanced, retriesLeft: 0 } : advanced;
}

async function goOn(sql: Sql, advanced: Advanced, job: JobRow, change: ByActor, clock: Clock): Promise<void> {
  const baton = await nextBaton(sql, advanced, change);
  if (!baton) return endRun(sql, advanced.pipeline, job, change);
  const plan = toRunPlan(advanced.pipeline);
  if (!plan) throw new Error(`Relay ${advanced.pipeline.id} has a job and no plan of its run.`);
  await submitStepJob(sql, advanced.pipeline, baton, plan, change.actor, clock);
  // What it brought stands in the relay; only how the run ends is news.
  await markRead(sql, job.id, change.at);
}

/** What is to be worked on next: the next step, or the same again while it has retries and tokens are left. */
async function nextBaton(sql: Sql, advanced: Advanced, change: ByActor): Promise<BatonRow | undefined> {
  if (advanced.kind === 'passed') return advanced.baton;
  if (advanced.kind === 'completed' || advanced.retriesLeft === 0) return undefined;
  if ((await remainingTokens(sql, advanced.pipeline)) === 0) return undefined;
  const wish = { pipelineId: advanced.pipeline.id, stepIndex: advanced.stepIndex };
  return (await retryStep(sql, wish, change)).baton;
}

/** The job was cancelled, not the relay: its baton can be taken up by hand, or by another run. */
async function stop(sql: Sql, job: JobRow, baton: BatonRow, change: ByActor): Promise<void> {
  await sql.run("update relay_batons set status = 'pending' where id = ? and status = 'in_progress'", baton.id);
  await endRun(sql, await findPipeline(sql, baton.pipeline_id), job, change);
}

async function endRun(sql: Sql, { id, status }: PipelineRow, job: JobRow, change: ByActor): Promise<void> {
  const data = { job_id: job.id, relay: status, job: job.status };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: id, type: 'run_ended', data });
}
