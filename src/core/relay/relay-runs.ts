import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { readJson } from '../../base/json.js';
import type { Micros } from '../../base/money.js';
import type { Database, Sql } from '../../store/sql.js';
import { type Actor, recordedActor } from '../actor.js';
import type { FailureType } from '../breakers/machine.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { haltingCodes } from '../jobs/board-task.js';
import { setResult } from '../jobs/finish-job.js';
import type { JobRow } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { markRead } from '../jobs/read-jobs.js';
import { advanceRelay, waitsForPerson } from './advance-relay.js';
import { type ApprovalRequest, decideApproval } from './approval.js';
import { type Baton, findBatonOfJob, listOpenBatons } from './baton.js';
import { type Advanced, failStep, recordAttempt } from './end-step.js';
import {
  changeRelayBudget,
  findPipeline,
  openRelayBudget,
  type Pipeline,
  type RunPlan,
  remainingTokens,
  requireTokens,
  runPlanText,
  type StepModel,
  setRelayMoney,
  updatePipeline,
} from './pipeline.js';
import { retryStep } from './retry-step.js';
import { stageOf, unpassedSteps } from './stage.js';
import { findStep } from './step.js';
import { findStepJob, lostBaton, relayStep, type StepJobResult, type StepPayload, submitStepJob } from './step-job.js';

export type RelayRuns = ReturnType<typeof createRelayRuns>;

/**
 * Relays that background jobs work through. A run has no process of its own: the transaction in which the job of a step
 * ends hands the baton on and submits the next job. So each step counts once, and a run outlives every session.
 */
export function createRelayRuns({ db, clock }: { db: Database; clock: Clock }) {
  const onEnded: JobEnded = async (sql, job, { at }) => {
    if (job.type !== relayStep) return;
    const actor = recordedActor(job.submitted_by, job.project);
    await moveOn(sql, job, { at, actor, clock });
  };

  return {
    onEnded,
    start: (request: RunRequest, actor: Actor): Promise<StartedRun> =>
      db.transaction((sql) => startRun(sql, request, actor, clock)),

    /** The same in a transaction of the caller's. */
    startIn: (sql: Sql, request: RunRequest, actor: Actor): Promise<StartedRun> => startRun(sql, request, actor, clock),

    /**
     * What a person says of a step that waits for it: it passes, or is done again with the feedback while retries are
     * left. A run in the background goes on by itself. Throws as `decideApproval` does.
     */
    decide: (request: ApprovalRequest, actor: Actor): Promise<Advanced> =>
      db.transaction(async (sql) => {
        const { advanced, change } = await decideApproval(sql, request, { at: clock.now(), actor, clock });
        const batons = await nextBatons(sql, advanced, change);
        if (advanced.pipeline.run) await submitStepJobs(sql, advanced.pipeline, batons, change);
        return advanced;
      }),
  };
}

export interface RunRequest {
  pipelineId: string;
  judgeModel: string;
  /** By step; null for those that have passed. */
  models: (StepModel | null)[];
  /** The new total of tokens for the whole relay. */
  tokenBudget?: number | undefined;
  /** The most that it may cost in all. */
  budgetMicros?: Micros | undefined;
}

export interface StartedRun {
  pipeline: Pipeline;
  /** The id of its first job. */
  runId: string;
  jobId: string;
  /** The relay was running already; nothing has changed. */
  isRepeated: boolean;
}

/**
 * Submits a job for each step that is to be worked on now; the jobs of later steps follow from them. A step that has
 * failed is tried again with fresh retries. Throws `not_found`, `conflict` for a relay that has ended, and `budget_exhausted`; then
 * nothing was stored.
 */
async function startRun(sql: Sql, request: RunRequest, actor: Actor, clock: Clock): Promise<StartedRun> {
  const { judgeModel, models, tokenBudget, budgetMicros } = request;
  const change = { at: clock.now(), actor, clock };
  const pipeline = await findPipeline(sql, request.pipelineId);
  refuseEnded(pipeline);
  const open = await listOpenBatons(sql, pipeline.id);
  const job = await findJobOf(sql, open);
  if (job) return { pipeline, runId: pipeline.run?.runId ?? job.id, jobId: job.id, isRepeated: true };
  if (tokenBudget !== undefined) await changeRelayBudget(sql, pipeline, tokenBudget, change.at);
  if (budgetMicros !== undefined) await setRelayMoney(sql, pipeline, budgetMicros, change.at);
  await openRelayBudget(sql, pipeline, change.at);
  await requireTokens(sql, pipeline);
  const batons = await batonsForJobs(sql, pipeline, open, change);
  let runId = '';
  for (const baton of batons) {
    const { id } = await submitStepJob(sql, pipeline, baton, { judgeModel, models }, actor, clock);
    runId ||= id;
  }
  const plan: RunPlan = { runId, judgeModel, models };
  const started = await updatePipeline(
    sql,
    pipeline.id,
    { status: 'in_progress', run: runPlanText(plan), started_at: pipeline.startedAt ?? change.at },
    change.at,
  );
  const data = { run_id: runId, step: batons[0]?.stepIndex ?? pipeline.currentStep };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'run_started', data });
  return { pipeline: started, runId, jobId: runId, isRepeated: false };
}

function refuseEnded({ id, status }: Pipeline): void {
  if (status !== 'completed' && status !== 'cancelled') return;
  throw new RuntimeError(
    'conflict',
    `Relay ${id} is ${status}.`,
    status === 'completed'
      ? 'To do steps again, call retry_relay_step with the first of them, then run_relay.'
      : 'Create a new one with create_relay_pipeline.',
  );
}

async function findJobOf(sql: Sql, batons: readonly Baton[]): Promise<JobRow | undefined> {
  for (const baton of batons) {
    const job = await findStepJob(sql, baton);
    if (job) return job;
  }
  return undefined;
}

/**
 * One of each step of the present stage that has not passed: its open baton if no job has had it; otherwise, and after a
 * failure, a new one. Throws `conflict` when all that is left waits for a person.
 */
async function batonsForJobs(sql: Sql, pipeline: Pipeline, open: readonly Baton[], change: ByActor): Promise<Baton[]> {
  const stage = await stageOf(sql, pipeline.id, pipeline.currentStep);
  const batons: Baton[] = [];
  for (const stepIndex of await unpassedSteps(sql, pipeline.id, stage)) {
    const own = open.find((baton) => baton.stepIndex === stepIndex);
    if (own && own.approvalAskedAt !== null) continue;
    const isNew = own && own.jobId === null;
    const request = { pipelineId: pipeline.id, stepIndex, isFresh: true };
    batons.push(isNew ? own : (await retryStep(sql, request, change)).baton);
  }
  const [waiting] = open;
  if (batons.length === 0 && waiting) throw waitsForPerson(waiting);
  return batons;
}

type ByActor = TimedChange & { actor: Actor };

async function moveOn(sql: Sql, job: JobRow, change: ByActor): Promise<void> {
  const { baton_id } = readJson<StepPayload>(job.payload);
  const baton = await findBatonOfJob(sql, baton_id, job.id);
  if (!baton) {
    // The error ends up on the job, which keeps its output.
    if (job.status === 'completed') throw await lostBaton(sql, baton_id, job.id);
    return;
  }
  switch (job.status) {
    case 'completed':
      return goOn(sql, await handIn(sql, job, baton, change), job, change);
    case 'failed':
      return goOn(sql, await failAttempt(sql, job, baton, change), job, change);
    default:
      return stopRun(sql, job, baton, change);
  }
}

/** They were counted in the budget as they were used, those of failed attempts of the job included. */
const tokensOf = (job: JobRow): number => job.input_tokens + job.output_tokens;

async function handIn(sql: Sql, job: JobRow, baton: Baton, change: ByActor): Promise<Advanced> {
  const { output, ...verdict } = readJson<StepJobResult>(job.result ?? '{}');
  const attempt = {
    pipelineId: baton.pipelineId,
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
  // The output is in the relay's result and in the job's own output.
  const result = { ...verdict, step: baton.stepIndex, passed: advanced.kind !== 'failed' };
  await setResult(sql, job, result);
  return advanced;
}

/** Failures that would meet the next attempt at the step too. */
const lastingFailures = new Set([...haltingCodes, 'invalid', 'invalid_request', 'conflict']);

/** What a job's failure means for the agent's breaker. A code that is missing here blames the provider or the set-up. */
const breakerFailures: Record<string, FailureType> = {
  timeout: 'timeout',
  runner_lost: 'exception',
  internal: 'exception',
  refused: 'exception',
  invalid_output: 'invalid_output',
  budget_exhausted: 'resource_exhausted',
};

async function failAttempt(sql: Sql, job: JobRow, baton: Baton, change: ByActor): Promise<Advanced> {
  const pipeline = await findPipeline(sql, baton.pipelineId);
  const open = { pipeline, step: await findStep(sql, pipeline.id, baton.stepIndex), baton };
  const code = job.error_code ?? 'internal';
  const reason = `Job ${job.id} failed: ${job.error_message ?? 'no reason given'}`;
  const attempt = { qualityScore: 0, lScore: 0, tokensUsed: tokensOf(job), output: job.output ?? undefined };
  await recordAttempt(sql, open, attempt, reason, change);
  const failure = code === 'budget_exhausted' ? 'budget_exhausted' : 'attempt_failed';
  const failed = { failure, reason, breakerFailure: breakerFailures[code] ?? null } as const;
  const advanced = await failStep(sql, open, failed, change);
  return lastingFailures.has(code) ? { ...advanced, retriesLeft: 0 } : advanced;
}

async function goOn(sql: Sql, advanced: Advanced, job: JobRow, change: ByActor): Promise<void> {
  const batons = await nextBatons(sql, advanced, change);
  await submitStepJobs(sql, advanced.pipeline, batons, change);
  const isOver = batons.length === 0 && !(await findJobOf(sql, await listOpenBatons(sql, advanced.pipeline.id)));
  if (isOver && advanced.kind !== 'waiting') return endRun(sql, advanced.pipeline, job, change);
  // Its result is in the relay: only the end of the run is worth a notice.
  await markRead(sql, job.id, change.at);
}

async function submitStepJobs(
  sql: Sql,
  pipeline: Pipeline,
  batons: readonly Baton[],
  { actor, clock }: ByActor,
): Promise<void> {
  if (batons.length === 0) return;
  const plan = pipeline.run;
  if (!plan) throw new Error(`Relay ${pipeline.id} has a job and no plan of its run.`);
  for (const baton of batons) await submitStepJob(sql, pipeline, baton, plan, actor, clock);
}

/** The batons to work on next: those of the next stage, or the same step's while retries and tokens are left. */
async function nextBatons(sql: Sql, advanced: Advanced, change: ByActor): Promise<Baton[]> {
  if (advanced.kind === 'passed') return advanced.batons;
  if (advanced.kind !== 'failed' || advanced.retriesLeft === 0) return [];
  if ((await remainingTokens(sql, advanced.pipeline)) === 0) return [];
  const request = { pipelineId: advanced.pipeline.id, stepIndex: advanced.stepIndex };
  return [(await retryStep(sql, request, change)).baton];
}

/** Only the job was cancelled: its baton stays open for a session or another run. */
async function stopRun(sql: Sql, job: JobRow, baton: Baton, change: ByActor): Promise<void> {
  await sql.run("update relay_batons set status = 'pending' where id = ? and status = 'in_progress'", baton.id);
  await endRun(sql, await findPipeline(sql, baton.pipelineId), job, change);
}

async function endRun(sql: Sql, { id, status }: Pipeline, job: JobRow, change: ByActor): Promise<void> {
  const data = { job_id: job.id, relay: status, job: job.status };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: id, type: 'run_ended', data });
}
