import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import type { Actor } from '../actor.js';
import { type Money, readMoney, remaining } from '../budget/ledger.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import type { JobRow } from '../jobs/job.js';
import { type AdvanceRequest, advanceRelay, checkAttempt, noBaton, waitsForPerson } from './advance-relay.js';
import { listWaiting, type WaitingStep } from './approval.js';
import { type Baton, listOpenBatons, newestBatonOf } from './baton.js';
import { type HeldBaton, readHeldBaton } from './baton-prompt.js';
import { type CreatedPipeline, createPipeline, type NewPipeline, planSteps } from './create-pipeline.js';
import type { Advanced } from './end-step.js';
import { releasePermit } from './hand-over.js';
import {
  changeRelayBudget,
  findPipeline,
  type Pipeline,
  type PipelineRow,
  type PipelineStatus,
  readRelayBudget,
  relayAccount,
  toPipeline,
  updatePipeline,
} from './pipeline.js';
import { hasRetriesLeft, type Retried, type RetryRequest, retryStep, waysOnWithoutRetries } from './retry-step.js';
import { findStep, listResults, listSteps, type Step, type StepResult } from './step.js';
import { findStepJob } from './step-job.js';

export type Relays = ReturnType<typeof createRelays>;

/** Relay pipelines: agents that hand a baton to each other, each with the output of the one before. */
export function createRelays({ db, clock }: { db: Database; clock: Clock }) {
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor, clock });

  return {
    /** Throws `invalid`; then nothing was stored. */
    async create(request: NewPipeline, actor: Actor): Promise<CreatedPipeline> {
      const steps = await planSteps(request);
      return db.transaction((sql) => createPipeline(sql, request, steps, actor, clock));
    },

    /**
     * Hands the baton on, or says which gate was not passed. Throws as `checkAttempt` and `advanceRelay` do, and
     * `budget_exhausted` after it has recorded that the step used more tokens than were left.
     */
    async advance(request: AdvanceRequest, actor: Actor): Promise<Advanced> {
      const attempt = await checkAttempt(db, request);
      const advanced = await db.transaction((sql) => advanceRelay(sql, attempt, changeBy(actor)));
      if (advanced.kind === 'failed' && advanced.failure === 'budget_exhausted') {
        throw new RuntimeError(
          'budget_exhausted',
          `${advanced.reason} Step ${advanced.stepIndex} failed.`,
          `Its output is kept with its result. ${afterBudget(advanced)}`,
        );
      }
      return advanced;
    },

    retry: (request: RetryRequest, actor: Actor): Promise<Retried> =>
      db.transaction((sql) => retryStep(sql, request, changeBy(actor))),

    /** Sets how many tokens the relay may use in all. Throws `not_found`, and `conflict` for one that has ended for good. */
    changeBudget: (id: string, tokens: number, actor: Actor): Promise<Pipeline> =>
      db.transaction(async (sql) => {
        const pipeline = await findPipeline(sql, id);
        if (pipeline.status === 'completed' || pipeline.status === 'cancelled') {
          throw new RuntimeError('conflict', `Relay ${id} is ${pipeline.status}.`, 'It uses no more tokens.');
        }
        const changed = await changeRelayBudget(sql, pipeline, tokens, clock.now());
        const data = { before: pipeline.tokenBudget, budget: tokens };
        await recordEvent(sql, { ...changeBy(actor), subject: 'relay', subjectId: id, type: 'budget_changed', data });
        return changed;
      }),

    /** Whether a step may be tried once more, as `retry` will say: not while a job works on it, nor without retries left. */
    async mayRetry({ pipeline, batons }: Pick<PipelineDetail, 'pipeline' | 'batons'>): Promise<boolean> {
      const baton = batons.find(({ stepIndex }) => stepIndex === pipeline.currentStep);
      if (pipeline.status === 'cancelled' || (baton && (await findStepJob(db, baton)))) return false;
      return hasRetriesLeft(db, pipeline);
    },

    cancel: (id: string, actor: Actor): Promise<CancelledPipeline> =>
      db.transaction((sql) => cancelPipeline(sql, id, changeBy(actor))),

    get: (id: string): Promise<PipelineDetail> => readPipeline(db, id),

    /** The steps of all relays that wait for a person, the longest waiting first. */
    listWaiting: (): Promise<WaitingStep[]> => listWaiting(db),

    list: (filter: PipelineFilter): Promise<ListedPipeline[]> => listPipelines(db, filter),
    /** How many there are on all pages of a list. */
    count: (filter: Omit<PipelineFilter, 'limit'>): Promise<number> =>
      countRows(db, 'relay_pipelines p', wherePipelines({ ...filter, beforeSeq: undefined })),

    /**
     * The open baton of a step; unless one is named, of the lowest that nobody works on. Throws `conflict` when none is
     * open, saying why, and when it waits for a person.
     */
    async baton(id: string, stepIndex?: number): Promise<HeldBaton> {
      const pipeline = await findPipeline(db, id);
      const open = await listOpenBatons(db, id);
      const usable = open.filter(({ approvalAskedAt }) => approvalAskedAt === null);
      const baton =
        stepIndex === undefined
          ? (usable.find(({ status }) => status === 'pending') ?? usable[0])
          : usable.find((held) => held.stepIndex === stepIndex);
      if (baton) return readHeldBaton(db, pipeline, await findStep(db, id, baton.stepIndex), baton);
      const waiting = open.find((held) => stepIndex === undefined || held.stepIndex === stepIndex);
      throw waiting ? waitsForPerson(waiting) : await noBaton(db, pipeline);
    },

    /** An open baton by its id; undefined once it was passed on or replaced. */
    async openBaton(id: string, batonId: string): Promise<HeldBaton | undefined> {
      const pipeline = await findPipeline(db, id);
      const baton = (await listOpenBatons(db, id)).find((open) => open.id === batonId);
      return baton && readHeldBaton(db, pipeline, await findStep(db, id, baton.stepIndex), baton);
    },
  };
}

function afterBudget({ stepIndex, retriesLeft }: Advanced & { kind: 'failed' }): string {
  return retriesLeft > 0
    ? `Call retry_relay_step with step_index ${stepIndex} and a higher token_budget.`
    : `${waysOnWithoutRetries(stepIndex)} Each needs a higher token_budget.`;
}

export interface CancelledPipeline {
  pipeline: Pipeline;
  /** The jobs that were working on it. Their results do not count any more: cancel them too. */
  jobIds: string[];
}

/** Ends a relay for good and keeps the results of its steps. Throws `conflict` for one that is completed. */
async function cancelPipeline(sql: Sql, id: string, change: TimedChange): Promise<CancelledPipeline> {
  const pipeline = await findPipeline(sql, id);
  if (pipeline.status === 'completed') {
    throw new RuntimeError('conflict', `Relay ${id} is already completed.`, 'There is nothing left to cancel.');
  }
  const jobIds = await workingJobs(sql, id);
  if (pipeline.status === 'cancelled') return { pipeline, jobIds };
  for (const baton of await listOpenBatons(sql, id)) {
    await sql.run("update relay_batons set status = 'cancelled' where id = ?", baton.id);
    await releasePermit(sql, baton.id);
  }
  const cancelled = await updatePipeline(sql, id, { status: 'cancelled', completed_at: change.at }, change.at);
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: id, type: 'cancelled' });
  return { pipeline: cancelled, jobIds };
}

async function workingJobs(sql: Sql, pipelineId: string): Promise<string[]> {
  const jobs = await sql.all<{ id: string }>(
    `select j.id from relay_batons b join jobs j on j.id = b.job_id
     where b.pipeline_id = ? and j.status in ('pending', 'running') order by b.step_index`,
    pipelineId,
  );
  return jobs.map(({ id }) => id);
}

/** A relay with its steps, results and figures. */
export interface PipelineDetail {
  pipeline: Pipeline;
  steps: Step[];
  /** Every attempt, oldest first: also those that failed or were set aside. */
  results: StepResult[];
  tokensUsed: number;
  remainingTokens: number;
  /** What its calls of models have cost. */
  money: Money;
  progressPercent: number;
  /** Of the attempts that count, by step. */
  qualityScores: number[];
  lScores: number[];
  /** Over the attempts that count; null when there are none. */
  averageQuality: number | null;
  averageLScore: number | null;
  /** The open ones, by step: several while steps work beside each other. */
  batons: Baton[];
  /** Only of a relay that was run in the background. */
  run: RunState | undefined;
}

export interface RunState {
  runId: string;
  jobId: string | undefined;
  isRunning: boolean;
  /** What its job does now, in its own words. */
  doing: string | undefined;
}

const mostReadings = 5;

/**
 * A relay as it is at one moment. It is read in several statements, and a step that ends between them would make a relay
 * that goes on look as if nobody worked on it: then all is read again. Throws `not_found`.
 */
export async function readPipeline(sql: Sql, id: string): Promise<PipelineDetail> {
  for (let readings = 1; ; readings++) {
    const detail = await readParts(sql, await findPipeline(sql, id));
    const isSame = isDeepStrictEqual(await findPipeline(sql, id), detail.pipeline);
    if (isSame || readings === mostReadings) return detail;
  }
}

async function readParts(sql: Sql, pipeline: Pipeline): Promise<PipelineDetail> {
  const { id } = pipeline;
  const results = await listResults(sql, id);
  const passed = results.filter((result) => result.isCurrent).sort((a, b) => a.stepIndex - b.stepIndex);
  const qualityScores = passed.map((result) => result.qualityScore);
  const lScores = passed.map((result) => result.lScore);
  const budget = await readRelayBudget(sql, pipeline);
  const batons = await listOpenBatons(sql, id);
  return {
    pipeline,
    steps: await listSteps(sql, id),
    results,
    tokensUsed: budget.spent,
    money: await readMoney(sql, relayAccount(id)),
    remainingTokens: remaining(budget),
    progressPercent: percentOf(passed.length, pipeline.totalSteps),
    qualityScores,
    lScores,
    averageQuality: averageOf(qualityScores),
    averageLScore: averageOf(lScores),
    batons,
    run: await readRun(sql, pipeline, batons),
  };
}

async function readRun(sql: Sql, pipeline: Pipeline, open: readonly Baton[]): Promise<RunState | undefined> {
  const { id, run, currentStep, totalSteps } = pipeline;
  if (!run) return undefined;
  for (const baton of open) {
    const job = await findStepJob(sql, baton);
    if (job) return { runId: run.runId, jobId: job.id, isRunning: true, doing: doingOf(job) };
  }
  const last = open[0] ?? (await newestBatonOf(sql, id, Math.min(currentStep, totalSteps - 1)));
  return { runId: run.runId, jobId: last?.jobId ?? undefined, isRunning: false, doing: undefined };
}

function doingOf(job: JobRow): string {
  if (job.status === 'running') return job.progress_message ?? 'started';
  return job.error_message ?? 'waiting for a runner';
}

function averageOf(scores: readonly number[]): number | null {
  if (scores.length === 0) return null;
  const sum = scores.reduce((total, score) => total + score, 0);
  return Math.round((sum / scores.length) * 10_000) / 10_000;
}

const percentOf = (part: number, whole: number): number => Math.round((part / whole) * 1_000) / 10;

export interface PipelineFilter {
  status?: PipelineStatus | undefined;
  /** Pipelines of this project and of none; those of all projects when absent. */
  project?: string | undefined;
  beforeSeq?: number | undefined;
  limit: number;
}

export interface ListedPipeline extends Pipeline {
  passedSteps: number;
  progressPercent: number;
}

/** Newest first. */
export async function listPipelines(sql: Sql, filter: PipelineFilter): Promise<ListedPipeline[]> {
  const found = wherePipelines(filter);
  const rows = await sql.all<PipelineRow & { passed_steps: number }>(
    `select p.*, coalesce((select spent from budgets b where b.account = '${relayAccount('')}' || p.id), p.tokens_used) as tokens_used,
       (select count(*) from relay_results r where r.pipeline_id = p.id and r.is_current = 1) as passed_steps
     from relay_pipelines p ${found.text} order by p.seq desc limit ?`,
    ...found.values,
    filter.limit,
  );
  return rows.map((row) => ({
    ...toPipeline(row),
    passedSteps: row.passed_steps,
    progressPercent: percentOf(row.passed_steps, row.total_steps),
  }));
}

function wherePipelines({ status, project, beforeSeq }: Omit<PipelineFilter, 'limit'>): Fragment {
  return where(is('p.status = ?', status), is("p.project in (?, '')", project), is('p.seq < ?', beforeSeq));
}
