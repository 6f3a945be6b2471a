import { readJson } from '../../base/json.js';
import type { DerivationMethod } from './standard-agents.js';

/** What one agent hands to the next, with the keys that the relay protocol gives it. Times are ISO 8601. */
export interface Baton {
  baton_id: string;
  /** 1-based. */
  sequence_position: number;
  total_agents: number;
  input_key: string;
  input_summary: string;
  input_entity_id: number | null;
  task_description: string;
  output_key: string;
  expected_output_type: string;
  quality_threshold: number;
  l_score_threshold: number;
  max_output_tokens: number;
  remaining_budget: number;
  tokens_used: number;
  /** Where the input comes from, oldest first: each step's entity, or the key of its output. */
  source_chain: (number | string)[];
  l_score_chain: number[];
  derivation_method: DerivationMethod;
  retry_count: number;
  max_retries: number;
  fallback_agent: string | null;
  pipeline_id: string;
  created_at: string;
  passed_at: string | null;
  /** Who has it; another than `agent_type` when that one's breaker was open. */
  agent_id?: string;
  agent_type?: string;
  /** Why it is not where one would expect it. */
  handed_over?: string;
  /** What was wrong with the attempts before, and what the caller said of them. */
  quality_feedback?: string[];
}

export type BatonStatus = 'pending' | 'in_progress' | 'waiting' | 'passed' | 'failed' | 'cancelled' | 'set_aside';

export interface BatonRow {
  id: string;
  pipeline_id: string;
  step_index: number;
  status: BatonStatus;
  retry_count: number;
  attempt: number;
  agent_id: string | null;
  handed_to: string | null;
  job_id: string | null;
  baton: string;
  created_at: number;
  passed_at: number | null;
}

export const toBaton = (row: BatonRow): Baton => ({
  ...readJson<Baton>(row.baton),
  passed_at: row.passed_at === null ? null : new Date(row.passed_at).toISOString(),
});

/** In the words of the index that lets a relay have one of them. */
export const isOpenBaton = "status in ('pending', 'in_progress', 'waiting')";
