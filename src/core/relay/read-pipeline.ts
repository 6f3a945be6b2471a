import type { Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import { remaining } from '../budget/ledger.js';
import type { JobRow } from '../jobs/job.js';
import { type Baton, findOpenBaton, newestBatonOf } from './baton.js';
import { findPipeline, type Pipeline, type PipelineRow, type PipelineStatus, toPipeline } from './pipeline.js';
import { readRelayBudget, relayAccount } from './relay-budget.js';
import { listResults, listSteps, type Step, type StepResult } from './step.js';
import { findStepJob } from './step-job.js';

/** A relay with its steps, results and figures. */
export interface PipelineDetail {
  pipeline: Pipeline;
  steps: Step[];
  /** Every attempt, oldest first: also those that failed or were set aside. */
  results: StepResult[];
  tokensUsed: number;
  remainingTokens: number;
  progressPercent: number;
  /** Of the attempts that count, by step. */
  qualityScores: number[];
  lScores: number[];
  /** Over the attempts that count; null when there are none. */
  averageQuality: number | null;
  averageLScore: number | null;
  /** The open one. */
  baton: Baton | undefined;
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

/** Throws `not_found`. */
export async function readPipeline(sql: Sql, id: string): Promise<PipelineDetail> {
  const pipeline = await findPipeline(sql, id);
  const results = await listResults(sql, id);
  const passed = results.filter((result) => result.isCurrent).sort((a, b) => a.stepIndex - b.stepIndex);
  const qualityScores = passed.map((result) => result.qualityScore);
  const lScores = passed.map((result) => result.lScore);
  const budget = await readRelayBudget(sql, pipeline);
  const baton = await findOpenBaton(sql, id);
  return {
    pipeline,
    steps: await listSteps(sql, id),
    results,
    tokensUsed: budget.spent,
    remainingTokens: remaining(budget),
    progressPercent: percentOf(passed.length, pipeline.totalSteps),
    qualityScores,
    lScores,
    averageQuality: averageOf(qualityScores),
    averageLScore: averageOf(lScores),
    baton,
    run: await readRun(sql, pipeline, baton),
  };
}

async function readRun(sql: Sql, pipeline: Pipeline, open: Baton | undefined): Promise<RunState | undefined> {
  const { id, run, currentStep, totalSteps } = pipeline;
  if (!run) return undefined;
  const baton = open ?? (await newestBatonOf(sql, id, Math.min(currentStep, totalSteps - 1)));
  const job = open && (await findStepJob(sql, open));
  return { runId: run.runId, jobId: baton?.jobId ?? undefined, isRunning: job !== undefined, doing: doingOf(job) };
}

function doingOf(job: JobRow | undefined): string | undefined {
  if (!job) return undefined;
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
  const found = where(
    is('p.status = ?', filter.status),
    is("p.project in (?, '')", filter.project),
    is('p.seq < ?', filter.beforeSeq),
  );
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
