import { type Json, readJson } from '../../base/json.js';
import type { DerivationMethod } from './standard-agents.js';

export const pipelineStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type PipelineStatus = (typeof pipelineStatuses)[number];

/** Tries of a step after its first. */
export const maxRetries = 3;

export interface PipelineRow {
  seq: number;
  id: string;
  name: string;
  goal: string;
  description: string;
  status: PipelineStatus;
  /** 0-based: the step that has the baton, or had it last; `total_steps` when all have passed. */
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
  created_at: number;
  updated_at: number;
  started_at: number | null;
  completed_at: number | null;
}

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
}

export interface ResultRow {
  id: number;
  pipeline_id: string;
  step_index: number;
  baton_id: string | null;
  agent_id: string;
  status: 'passed' | 'failed';
  /** Of the attempt that counts: passed, and not set aside by a restart. */
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
  created_at: number;
}

/** A model that a step of a running relay asks, and the provider that its runner must have. */
export interface StepModel {
  model: string;
  provider: string;
}

/** How a relay runs by itself, as it was asked for. */
export interface RunPlan {
  /** The id of its first job. */
  run_id: string;
  judge_model: string;
  /** By step; null for those that had passed when the run began. */
  models: (StepModel | null)[];
}

export function toRunPlan({ run }: Pick<PipelineRow, 'run'>): RunPlan | undefined {
  return run === null ? undefined : readJson<RunPlan>(run);
}

/** Output as it was given: text is stored as a JSON string. */
export function toOutput(row: Pick<ResultRow, 'output'>): Json | undefined {
  return row.output === null ? undefined : readJson<Json>(row.output);
}

/** Output as a reader or a model sees it. */
export function outputText(output: Json | undefined): string {
  if (output === undefined) return '';
  return typeof output === 'string' ? output : JSON.stringify(output, null, 2);
}
