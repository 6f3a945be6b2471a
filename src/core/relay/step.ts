import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type Json, type JsonObject, readJson } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import type { DerivationMethod } from './standard-agents.js';

/** How often a step may be tried again after its first attempt. */
export const maxRetries = 3;

export interface StepRow {
  pipeline_id: string;
  step_index: number;
  agent_id: string;
  agent_type: string;
  task_template: string;
  instructions: string | null;
  expected_output_type: string;
  derivation_method: DerivationMethod;
  max_tokens: number;
  quality_threshold: number;
  l_score_threshold: number;
  fallback_agent: string | null;
  model: string | null;
  output_schema: string | null;
  capabilities: string;
  is_parallel: number;
  needs_approval: number;
}

export interface Step {
  pipelineId: string;
  /** 0-based. */
  stepIndex: number;
  agentId: string;
  agentType: string;
  taskTemplate: string;
  instructions: string | null;
  expectedOutputType: string;
  derivationMethod: DerivationMethod;
  /** Of the output. */
  maxTokens: number;
  /** Gates, from 0 to 1: a lower score does not pass. */
  qualityThreshold: number;
  lScoreThreshold: number;
  fallbackAgent: string | null;
  model: string | null;
  outputSchema: JsonObject | null;
  capabilities: string[];
  /** It works beside the step before it, from the same input. */
  isParallel: boolean;
  /** Its output waits for a person after it has passed its gates. */
  needsApproval: boolean;
}

export function toStep(row: StepRow): Step {
  return {
    pipelineId: row.pipeline_id,
    stepIndex: row.step_index,
    agentId: row.agent_id,
    agentType: row.agent_type,
    taskTemplate: row.task_template,
    instructions: row.instructions,
    expectedOutputType: row.expected_output_type,
    derivationMethod: row.derivation_method,
    maxTokens: row.max_tokens,
    qualityThreshold: row.quality_threshold,
    lScoreThreshold: row.l_score_threshold,
    fallbackAgent: row.fallback_agent,
    model: row.model,
    outputSchema: row.output_schema === null ? null : readJson<JsonObject>(row.output_schema),
    capabilities: readJson<string[]>(row.capabilities),
    isParallel: row.is_parallel === 1,
    needsApproval: row.needs_approval === 1,
  };
}

/** Throws `invalid` for a pipeline of an earlier server whose list of agents could not be read: it has no steps. */
export async function findStep(sql: Sql, pipelineId: string, stepIndex: number): Promise<Step> {
  const row = await sql.get<StepRow>(
    'select * from relay_steps where pipeline_id = ? and step_index = ?',
    pipelineId,
    stepIndex,
  );
  if (row) return toStep(row);
  throw new RuntimeError(
    'invalid',
    `Pipeline ${pipelineId} has no step ${stepIndex}.`,
    'Create it anew with create_relay_pipeline.',
  );
}

export async function listSteps(sql: Sql, pipelineId: string): Promise<Step[]> {
  const rows = await sql.all<StepRow>(
    'select * from relay_steps where pipeline_id = ? order by step_index',
    pipelineId,
  );
  return rows.map(toStep);
}

/** The key under which the output of a step is known to the steps after it. */
export const outputKeyOf = ({ pipelineId, stepIndex, agentType }: Step): string =>
  `relay_${pipelineId}_step${stepIndex}_${agentType}`;

export interface ResultRow {
  id: number;
  pipeline_id: string;
  step_index: number;
  baton_id: string | null;
  agent_id: string;
  status: 'passed' | 'failed';
  is_current: number;
  output_key: string | null;
  output_entity_id: number | null;
  output: string | null;
  output_summary: string | null;
  quality_score: number;
  l_score: number;
  tokens_used: number;
  execution_time_ms: number;
  error_message: string | null;
  created_at: EpochMs;
}

/** The result of one attempt at a step. */
export interface StepResult {
  id: number;
  pipelineId: string;
  stepIndex: number;
  batonId: string | null;
  agentId: string;
  status: 'passed' | 'failed';
  /** The attempt counts: it passed, and no restart has set it aside. */
  isCurrent: boolean;
  outputKey: string | null;
  outputEntityId: number | null;
  output: Json | undefined;
  outputSummary: string | null;
  qualityScore: number;
  lScore: number;
  tokensUsed: number;
  executionTimeMs: number;
  errorMessage: string | null;
  createdAt: EpochMs;
}

export function toResult(row: ResultRow): StepResult {
  return {
    id: row.id,
    pipelineId: row.pipeline_id,
    stepIndex: row.step_index,
    batonId: row.baton_id,
    agentId: row.agent_id,
    status: row.status,
    isCurrent: row.is_current === 1,
    outputKey: row.output_key,
    outputEntityId: row.output_entity_id,
    output: row.output === null ? undefined : readJson<Json>(row.output),
    outputSummary: row.output_summary,
    qualityScore: row.quality_score,
    lScore: row.l_score,
    tokensUsed: row.tokens_used,
    executionTimeMs: row.execution_time_ms,
    errorMessage: row.error_message,
    createdAt: row.created_at,
  };
}

/** Stores an attempt, whether it passed or failed. Text and JSON are both stored as JSON. */
export async function insertResult(sql: Sql, result: Omit<StepResult, 'id'>): Promise<void> {
  await insertRow<ResultRow>(sql, 'relay_results', {
    pipeline_id: result.pipelineId,
    step_index: result.stepIndex,
    baton_id: result.batonId,
    agent_id: result.agentId,
    status: result.status,
    is_current: Number(result.isCurrent),
    output_key: result.outputKey,
    output_entity_id: result.outputEntityId,
    output: result.output === undefined ? null : JSON.stringify(result.output),
    output_summary: result.outputSummary,
    quality_score: result.qualityScore,
    l_score: result.lScore,
    tokens_used: result.tokensUsed,
    execution_time_ms: result.executionTimeMs,
    error_message: result.errorMessage,
    created_at: result.createdAt,
  });
}

/** Every attempt that has ended, oldest first. */
export async function listResults(sql: Sql, pipelineId: string): Promise<StepResult[]> {
  const rows = await sql.all<ResultRow>('select * from relay_results where pipeline_id = ? order by id', pipelineId);
  return rows.map(toResult);
}

/** The attempts that count, of the steps before `stepIndex`, by step. */
export async function currentResultsBefore(sql: Sql, pipelineId: string, stepIndex: number): Promise<StepResult[]> {
  const rows = await sql.all<ResultRow>(
    `select * from relay_results where pipeline_id = ? and is_current = 1 and step_index < ?
     order by step_index, id`,
    pipelineId,
    stepIndex,
  );
  return rows.map(toResult);
}

/** An output as a reader or a model sees it: text as it is, JSON indented. */
export function outputText(output: Json | undefined): string {
  if (output === undefined) return '';
  return typeof output === 'string' ? output : JSON.stringify(output, null, 2);
}
