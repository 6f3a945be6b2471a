import type { Connection } from '../driver.js';
import { arrayOf, inserter, objectOf, oneOf, parseLegacyTime } from './read.js';

export interface LegacyPipeline {
  pipeline_id: string;
  name: string;
  description: string | null;
  goal: string | null;
  agents_json: string | null;
  current_step: number | null;
  status: string | null;
  total_token_budget: number | null;
  tokens_used: number | null;
  initial_entity_id: number | null;
  final_entity_id: number | null;
  created_at: string | null;
  started_at: string | null;
  completed_at: string | null;
}

interface LegacyAgent {
  agent_id?: string;
  agent_type?: string;
  task_template?: string;
  expected_output_type?: string;
  max_tokens?: number;
  quality_threshold?: number;
  fallback_agent?: string | null;
  capabilities?: string[];
}

export function adoptRelays(connection: Connection, pipelines: LegacyPipeline[], now: number): void {
  const insertPipeline = inserter(connection, 'relay_pipelines');
  const insertStep = inserter(connection, 'relay_steps');
  for (const pipeline of pipelines) {
    const agents = arrayOf<LegacyAgent>(pipeline.agents_json);
    const createdAt = parseLegacyTime(pipeline.created_at) ?? now;
    insertPipeline({
      id: pipeline.pipeline_id,
      name: pipeline.name,
      goal: pipeline.goal ?? '',
      description: pipeline.description ?? '',
      status: oneOf(['pending', 'in_progress', 'completed', 'failed', 'cancelled'], pipeline.status, 'in_progress'),
      current_step: pipeline.current_step ?? 0,
      total_steps: Math.max(1, agents.length),
      token_budget: pipeline.total_token_budget ?? 100_000,
      tokens_used: pipeline.tokens_used ?? 0,
      initial_entity_id: pipeline.initial_entity_id,
      final_entity_id: pipeline.final_entity_id,
      created_at: createdAt,
      updated_at: parseLegacyTime(pipeline.completed_at) ?? parseLegacyTime(pipeline.started_at) ?? createdAt,
      started_at: parseLegacyTime(pipeline.started_at),
      completed_at: parseLegacyTime(pipeline.completed_at),
    });
    for (const [index, agent] of agents.entries()) {
      insertStep({
        pipeline_id: pipeline.pipeline_id,
        step_index: index,
        agent_id: agent.agent_id ?? agent.agent_type ?? `agent_step_${index + 1}`,
        agent_type: agent.agent_type ?? 'custom',
        task_template: agent.task_template ?? '',
        expected_output_type: agent.expected_output_type ?? 'analysis',
        max_tokens: agent.max_tokens ?? 4000,
        quality_threshold: agent.quality_threshold ?? 0.6,
        l_score_threshold: 0.3,
        fallback_agent: agent.fallback_agent ?? null,
        capabilities: JSON.stringify(agent.capabilities ?? []),
      });
    }
  }
}

export interface LegacyResult {
  id: number;
  pipeline_id: string;
  step_index: number;
  agent_id: string;
  status: string;
  output_key: string | null;
  output_entity_id: number | null;
  quality_score: number | null;
  l_score: number | null;
  tokens_used: number | null;
  execution_time_ms: number | null;
  error_message: string | null;
  created_at: string | null;
}

export function adoptRelayResults(connection: Connection, results: LegacyResult[], now: number): void {
  const insert = inserter(connection, 'relay_results');
  const agentOf = connection
    .prepare<[string, number], string>('select agent_id from relay_steps where pipeline_id = ? and step_index = ?')
    .pluck();
  for (const result of results) {
    insert({
      id: result.id,
      pipeline_id: result.pipeline_id,
      step_index: result.step_index,
      // The earlier server wrote `agent_step_N` for every agent.
      agent_id: agentOf.get(result.pipeline_id, result.step_index) ?? result.agent_id,
      status: result.status === 'passed' ? 'passed' : 'failed',
      is_current: result.status === 'passed' ? 1 : 0,
      output_key: result.output_key,
      output_entity_id: result.output_entity_id,
      quality_score: result.quality_score ?? 0,
      l_score: result.l_score ?? 0.5,
      tokens_used: result.tokens_used ?? 0,
      execution_time_ms: result.execution_time_ms ?? 0,
      error_message: result.error_message,
      created_at: parseLegacyTime(result.created_at) ?? now,
    });
  }
}

export interface LegacyBaton {
  baton_id: string;
  pipeline_id: string;
  sequence_position: number;
  baton_json: string;
  status: string | null;
  created_at: string | null;
  passed_at: string | null;
}

/** Each retry of the earlier server left one more pending baton; only the newest of a pipeline stays open. */
export function adoptRelayBatons(connection: Connection, batons: LegacyBaton[], now: number): void {
  const insert = inserter(connection, 'relay_batons');
  const newestOpen = new Map<string, string>();
  for (const baton of batons) if (isOpenBaton(baton)) newestOpen.set(baton.pipeline_id, baton.baton_id);
  for (const baton of batons) {
    const isSuperseded = isOpenBaton(baton) && newestOpen.get(baton.pipeline_id) !== baton.baton_id;
    insert({
      id: baton.baton_id,
      pipeline_id: baton.pipeline_id,
      step_index: baton.sequence_position - 1,
      status: isSuperseded
        ? 'set_aside'
        : oneOf(['pending', 'in_progress', 'waiting', 'passed', 'failed', 'cancelled'], baton.status, 'pending'),
      retry_count: Number(objectOf(baton.baton_json).retry_count ?? 0),
      baton: baton.baton_json,
      created_at: parseLegacyTime(baton.created_at) ?? now,
      passed_at: parseLegacyTime(baton.passed_at),
    });
  }
}

function isOpenBaton(baton: LegacyBaton): boolean {
  return baton.status === null || ['pending', 'in_progress', 'waiting'].includes(baton.status);
}
