import type { EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { DerivationMethod } from './standard-agents.js';

/**
 * What one agent hands to the next, with the keys of the relay protocol: it is stored and sent in this form. Times are
 * ISO 8601.
 */
export interface BatonDocument {
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
  /** The agent that holds the baton; not `agent_type` when that agent's breaker was open. */
  agent_id?: string;
  agent_type?: string;
  /** Why another agent than `agent_type` holds it, or none yet. */
  handed_over?: string;
  /** What was wrong with earlier attempts, and what the caller said about them. */
  quality_feedback?: string[];
}

/**
 * `waiting`: no breaker lets an agent take it yet. `in_progress`: a background job works on it. `set_aside`: a retry or a
 * restart has replaced it.
 */
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
  created_at: EpochMs;
  passed_at: EpochMs | null;
  approval_asked_at: EpochMs | null;
}

export interface Baton {
  id: string;
  pipelineId: string;
  stepIndex: number;
  status: BatonStatus;
  retryCount: number;
  /** 1-based, over all batons that the step has had. */
  attempt: number;
  agentId: string | null;
  /** The session that it was handed to; null for a caller without one. */
  handedTo: string | null;
  jobId: string | null;
  document: BatonDocument;
  createdAt: EpochMs;
  passedAt: EpochMs | null;
  /** Since when the output that was handed in with it waits for a person; null unless it does. */
  approvalAskedAt: EpochMs | null;
}

export function toBaton(row: BatonRow): Baton {
  const document = readJson<BatonDocument>(row.baton);
  // A baton of an earlier server does not say who holds it.
  if (!document.agent_id && row.agent_id !== null) document.agent_id = row.agent_id;
  return {
    id: row.id,
    pipelineId: row.pipeline_id,
    stepIndex: row.step_index,
    status: row.status,
    retryCount: row.retry_count,
    attempt: row.attempt,
    agentId: row.agent_id,
    handedTo: row.handed_to,
    jobId: row.job_id,
    document: {
      ...document,
      passed_at: row.passed_at === null ? null : new Date(row.passed_at).toISOString(),
    },
    createdAt: row.created_at,
    passedAt: row.passed_at,
    approvalAskedAt: row.approval_asked_at,
  };
}

/** In the words of the unique index that allows a step one open baton, so that queries use it. */
export const isOpenBaton = "status in ('pending', 'in_progress', 'waiting')";

/** The batons that are to be worked on now, or wait for a person, by step: one of each unpassed step of a stage at most. */
export async function listOpenBatons(sql: Sql, pipelineId: string): Promise<Baton[]> {
  const rows = await sql.all<BatonRow>(
    `select * from relay_batons where pipeline_id = ? and ${isOpenBaton} order by step_index`,
    pipelineId,
  );
  return rows.map(toBaton);
}

/** The open baton with this id, if this job holds it. */
export const findBatonOfJob = (sql: Sql, id: string, jobId: string): Promise<Baton | undefined> =>
  findOne(sql, `id = ? and job_id = ? and ${isOpenBaton}`, id, jobId);

export const findBaton = (sql: Sql, id: string): Promise<Baton | undefined> => findOne(sql, 'id = ?', id);

export const newestBatonOf = (sql: Sql, pipelineId: string, stepIndex: number): Promise<Baton | undefined> =>
  findOne(
    sql,
    'pipeline_id = ? and step_index = ? order by attempt desc, created_at desc limit 1',
    pipelineId,
    stepIndex,
  );

async function findOne(sql: Sql, condition: string, ...values: (string | number)[]): Promise<Baton | undefined> {
  const row = await sql.get<BatonRow>(`select * from relay_batons where ${condition}`, ...values);
  return row && toBaton(row);
}
