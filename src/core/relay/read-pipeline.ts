import type { Sql } from '../../store/sql.js';
import { remaining } from '../budget/ledger.js';
import type { JobRow } from '../jobs/job.js';
import { type BatonRow, toBaton } from './baton.js';
import {
  outputText,
  type PipelineRow,
  type PipelineStatus,
  type ResultRow,
  type StepRow,
  toOutput,
  toRunPlan,
} from './pipeline.js';
import { readRelayBudget, relayAccount } from './relay-budget.js';
import { currentResults, findOpenBaton, findPipeline, listResults, listSteps, newestBatonOf } from './relay-rows.js';
import { findStepJob } from './step-job.js';

/** A relay as it stands. */
export interface PipelineDetail {
  row: PipelineRow;
  steps: StepRow[];
  /** Every attempt, also those that failed or were set aside, oldest first. */
  results: ResultRow[];
  tokensUsed: number;
  remainingTokens: number;
  progressPercent: number;
  qualityScores: number[];
  lScores: number[];
  /** Over the attempts that count; null when there are none. */
  averageQuality: number | null;
  averageLScore: number | null;
  baton: BatonRow | undefined;
  /** Only of a relay that was told to run by itself. */
  run: { runId: string; jobId: string | undefined; isRunning: boolean; doing: string | undefined } | undefined;
}

export async function readPipeline(sql: Sql, id: string): Promise<PipelineDetail> {
  const row = await findPipeline(sql, id);
  const results = await listResults(sql, id);
  const passed = (await currentResults(sql, id)).map(({ quality_score, l_score }) => ({ quality_score, l_score }));
  const qualityScores = passed.map((result) => result.quality_score);
  const lScores = passed.map((result) => result.l_score);
  const budget = await readRelayBudget(sql, row);
  const baton = await findOpenBaton(sql, id);
  return {
    row,
    steps: await listSteps(sql, id),
    results,
    tokensUsed: budget.spent,
    remainingTokens: remaining(budget),
    progressPercent: percentOf(passed.length, row.total_steps),
    qualityScores,
    lScores,
    averageQuality: averageOf(qualityScores),
    averageLScore: averageOf(lScores),
    baton,
    run: await readRun(sql, row, baton),
  };
}

async function readRun(sql: Sql, row: PipelineRow, open: BatonRow | undefined): Promise<PipelineDetail['run']> {
  const plan = toRunPlan(row);
  if (!plan) return undefined;
  const baton = open ?? (await newestBatonOf(sql, row.id, Math.min(row.current_step, row.total_steps - 1)));
  const job = open && (await findStepJob(sql, open));
  return { runId: plan.run_id, jobId: baton?.job_id ?? undefined, isRunning: job !== undefined, doing: doingOf(job) };
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
  /** Rows of this project and of none; all when absent. */
  project?: string | undefined;
  beforeSeq?: number | undefined;
  limit: number;
}

export interface ListedPipeline extends PipelineRow {
  passed_steps: number;
}

/** Newest first. */
export function listPipelines(sql: Sql, filter: PipelineFilter): Promise<ListedPipeline[]> {
  return sql.all<ListedPipeline>(
    `select p.*, coalesce((select spent from budgets b where b.account = '${relayAccount('')}' || p.id), p.tokens_used) as tokens_used,
       (select count(*) from relay_results r where r.pipeline_id = p.id and r.is_current = 1) as passed_steps
     from relay_pipelines p
     where (? is null or p.status = ?) and (? is null or p.project in (?, '')) and p.seq < ?
     order by p.seq desc limit ?`,
    ...[filter.status, filter.project].flatMap((value) => [value ?? null, value ?? null]),
    filter.beforeSeq ?? Number.MAX_SAFE_INTEGER,
    filter.limit,
  );
}

export const progressOf = ({ passed_steps, total_steps }: ListedPipeline): number =>
  percentOf(passed_steps, total_steps);

/** The baton that is to be worked on, with all that its agent needs. */
export interface HeldBaton {
  pipeline: PipelineRow;
  step: StepRow;
  row: BatonRow;
  baton: ReturnType<typeof toBaton>;
  /** The whole output of the step before. */
  input: string;
}

export async function readHeldBaton(sql: Sql, pipeline: PipelineRow, row: BatonRow, step: StepRow): Promise<HeldBaton> {
  const earlier = (await currentResults(sql, pipeline.id)).filter((result) => result.step_index < row.step_index);
  const previous = earlier.at(-1);
  const input = previous ? outputText(toOutput(previous)) : '';
  return { pipeline, step, row, baton: toBaton(row), input };
}
