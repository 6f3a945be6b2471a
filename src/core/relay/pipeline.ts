import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { readJson } from '../../base/json.js';
import type { Micros } from '../../base/money.js';
import type { Sql } from '../../store/sql.js';
import { updateRow } from '../../store/update-row.js';
import {
  type Budget,
  exhausted,
  exhaustedMoney,
  readBudget,
  readMoney,
  remaining,
  setBudget,
  setMoneyBudget,
  spend,
} from '../budget/ledger.js';

export const pipelineStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type PipelineStatus = (typeof pipelineStatuses)[number];

export interface PipelineRow {
  seq: number;
  id: string;
  name: string;
  goal: string;
  description: string;
  status: PipelineStatus;
  current_step: number;
  total_steps: number;
  token_budget: number;
  tokens_used: number;
  initial_entity_id: number | null;
  final_entity_id: number | null;
  error_code: string | null;
  error_message: string | null;
  run: string | null;
  project: string;
  created_at: EpochMs;
  updated_at: EpochMs;
  started_at: EpochMs | null;
  completed_at: EpochMs | null;
}

export interface Pipeline {
  /** Grows with each pipeline; lists are sorted by it. */
  seq: number;
  id: string;
  name: string;
  goal: string;
  description: string;
  status: PipelineStatus;
  /** 0-based: the step that has the baton, or had it last; `totalSteps` when all have passed. */
  currentStep: number;
  totalSteps: number;
  tokenBudget: number;
  /** Only of a relay from an earlier server; all others count in the ledger (`readRelayBudget`). */
  tokensUsed: number;
  initialEntityId: number | null;
  finalEntityId: number | null;
  errorCode: string | null;
  errorMessage: string | null;
  /** Null for a relay that was never run in the background. */
  run: RunPlan | null;
  project: string;
  createdAt: EpochMs;
  startedAt: EpochMs | null;
  completedAt: EpochMs | null;
}

/** A model that works on a step of a background run, and the provider that its runner must have. */
export interface StepModel {
  model: string;
  provider: string;
}

/** How a relay is run in the background, as it was asked for. */
export interface RunPlan {
  /** The id of its first job. */
  runId: string;
  judgeModel: string;
  /** By step; null for those that had passed when the run began. */
  models: (StepModel | null)[];
}

/** The plan as the column `run` holds it. */
interface StoredPlan {
  run_id: string;
  judge_model: string;
  models: (StepModel | null)[];
}

export function toPipeline(row: PipelineRow): Pipeline {
  return {
    seq: row.seq,
    id: row.id,
    name: row.name,
    goal: row.goal,
    description: row.description,
    status: row.status,
    currentStep: row.current_step,
    totalSteps: row.total_steps,
    tokenBudget: row.token_budget,
    tokensUsed: row.tokens_used,
    initialEntityId: row.initial_entity_id,
    finalEntityId: row.final_entity_id,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    run: row.run === null ? null : toRunPlan(row.run),
    project: row.project,
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

function toRunPlan(text: string): RunPlan {
  const { run_id, judge_model, models } = readJson<StoredPlan>(text);
  return { runId: run_id, judgeModel: judge_model, models };
}

export function runPlanText({ runId, judgeModel, models }: RunPlan): string {
  const stored: StoredPlan = { run_id: runId, judge_model: judgeModel, models };
  return JSON.stringify(stored);
}

/** Throws `not_found`. */
export async function findPipeline(sql: Sql, id: string): Promise<Pipeline> {
  const row = await sql.get<PipelineRow>('select * from relay_pipelines where id = ?', id);
  if (row) return toPipeline(row);
  throw new RuntimeError(
    'not_found',
    `Pipeline ${id} not found`,
    'Call list_relay_pipelines to see the ids, with scope all for those of other projects.',
  );
}

/** Sets columns of a pipeline; resolves to it as it is then. */
export async function updatePipeline(
  sql: Sql,
  id: string,
  changes: Readonly<Partial<Omit<PipelineRow, 'seq' | 'id'>>>,
  at: EpochMs,
): Promise<Pipeline> {
  const key = { id };
  return toPipeline(await updateRow<PipelineRow>(sql, 'relay_pipelines', key, { ...changes, updated_at: at }));
}

/** Deletes a pipeline that ended before a time, with its steps, batons and results. Resolves to the number deleted. */
export function deleteEndedPipeline(sql: Sql, id: string, before: EpochMs): Promise<number> {
  return sql.run(
    `delete from relay_pipelines where id = ? and status in ('completed', 'failed', 'cancelled')
       and coalesce(completed_at, updated_at) < ?`,
    id,
    before,
  );
}

/** The ledger's account of a relay: tokens that sessions report and tokens that its own jobs use. */
export const relayAccount = (pipelineId: string): string => `relay:${pipelineId}`;

/** A relay of an earlier server has no account: its row says what it had used. */
export async function readRelayBudget(sql: Sql, pipeline: Pipeline): Promise<Budget> {
  const account = relayAccount(pipeline.id);
  const budget = await readBudget(sql, account);
  return budget.cap === null ? { account, cap: pipeline.tokenBudget, spent: pipeline.tokensUsed, reserved: 0 } : budget;
}

export async function remainingTokens(sql: Sql, pipeline: Pipeline): Promise<number> {
  return remaining(await readRelayBudget(sql, pipeline));
}

/** Throws `budget_exhausted` when the relay has no tokens left. */
export async function requireTokens(sql: Sql, pipeline: Pipeline): Promise<void> {
  const budget = await readRelayBudget(sql, pipeline);
  const money = await readMoney(sql, relayAccount(pipeline.id));
  if (remaining(money) <= 0) {
    const { message } = exhaustedMoney(money, 1);
    throw new RuntimeError('budget_exhausted', message, 'Pass a higher budget_usd to run_relay.');
  }
  if (remaining(budget) > 0) return;
  const { message } = exhausted(budget, 1);
  throw new RuntimeError('budget_exhausted', message, 'Pass a higher token_budget to retry_relay_step or run_relay.');
}

/** Opens the account if there is none, so that calls can be charged to it. */
export async function openRelayBudget(sql: Sql, pipeline: Pipeline, at: EpochMs): Promise<void> {
  const { account, cap } = await readBudget(sql, relayAccount(pipeline.id));
  if (cap !== null) return;
  await setBudget(sql, account, pipeline.tokenBudget, at);
  if (pipeline.tokensUsed > 0) await spend(sql, account, pipeline.tokensUsed, at);
}

/** Counts tokens that a session reports. */
export async function spendRelayTokens(sql: Sql, pipeline: Pipeline, tokens: number, at: EpochMs): Promise<void> {
  await openRelayBudget(sql, pipeline, at);
  if (tokens > 0) await spend(sql, relayAccount(pipeline.id), tokens, at);
}

/** Limits what a relay may cost in all, what it has cost already included. */
export async function setRelayMoney(sql: Sql, pipeline: Pipeline, cap: Micros, at: EpochMs): Promise<void> {
  await openRelayBudget(sql, pipeline, at);
  await setMoneyBudget(sql, relayAccount(pipeline.id), cap, at);
}

/** Replaces the budget of a relay: `cap` is the new total. Resolves to the pipeline with it. */
export async function changeRelayBudget(sql: Sql, pipeline: Pipeline, cap: number, at: EpochMs): Promise<Pipeline> {
  await openRelayBudget(sql, pipeline, at);
  await setBudget(sql, relayAccount(pipeline.id), cap, at);
  return updatePipeline(sql, pipeline.id, { token_budget: cap }, at);
}
