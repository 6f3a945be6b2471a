import type { Connection } from '../connection.js';
import { arrayOf, inserter, integerOf, numberOf, objectOf, textOf, timeOf, unreadable, wordOf } from './read.js';
import type { LegacyRow } from './tables.js';

const pipelineStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;

export function adoptRelays(connection: Connection, pipelines: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'relay_pipelines');
  const insertStep = inserter(connection, 'relay_steps');
  for (const pipeline of pipelines) {
    const id = textOf(pipeline.pipeline_id) ?? '';
    const agents = arrayOf(pipeline.agents_json).map(objectOf);
    const createdAt = timeOf(pipeline.created_at) ?? now;
    insert({
      id,
      name: textOf(pipeline.name) ?? '',
      goal: textOf(pipeline.goal) ?? '',
      description: textOf(pipeline.description) ?? '',
      status: wordOf(pipelineStatuses, pipeline.status) ?? 'in_progress',
      current_step: integerOf(pipeline.current_step, 0),
      total_steps: Math.max(1, agents.length),
      token_budget: integerOf(pipeline.total_token_budget, 100_000),
      tokens_used: integerOf(pipeline.tokens_used, 0),
      initial_entity_id: integerOf(pipeline.initial_entity_id, null),
      final_entity_id: integerOf(pipeline.final_entity_id, null),
      created_at: createdAt,
      updated_at: timeOf(pipeline.completed_at) ?? timeOf(pipeline.started_at) ?? createdAt,
      started_at: timeOf(pipeline.started_at),
      completed_at: timeOf(pipeline.completed_at),
    });
    for (const [index, agent] of agents.entries()) {
      insertStep({
        pipeline_id: id,
        step_index: index,
        agent_id: textOf(agent.agent_id) ?? textOf(agent.agent_type) ?? `agent_step_${index + 1}`,
        agent_type: textOf(agent.agent_type) ?? 'custom',
        task_template: textOf(agent.task_template) ?? '',
        expected_output_type: textOf(agent.expected_output_type) ?? 'analysis',
        max_tokens: integerOf(agent.max_tokens, 4000),
        quality_threshold: numberOf(agent.quality_threshold, 0.6),
        l_score_threshold: 0.3,
        fallback_agent: textOf(agent.fallback_agent),
        capabilities: JSON.stringify(agent.capabilities ?? []),
      });
    }
  }
}

/** Of several passed results of a step only the last one counts: the earlier server kept one for each retry. */
export function adoptRelayResults(connection: Connection, results: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'relay_results');
  const agentOf = agentOfStep(connection);
  const stepOf = (row: LegacyRow) => `${textOf(row.pipeline_id)} ${integerOf(row.step_index, 0)}`;
  const lastPassed = new Map(results.filter(hasPassed).map((result) => [stepOf(result), result]));
  for (const result of results) {
    const pipelineId = textOf(result.pipeline_id) ?? '';
    const stepIndex = integerOf(result.step_index, 0);
    insert({
      id: integerOf(result.id, null),
      pipeline_id: pipelineId,
      step_index: stepIndex,
      // The earlier server wrote `agent_step_N` for every agent.
      agent_id: agentOf(pipelineId, stepIndex) ?? textOf(result.agent_id) ?? '',
      status: hasPassed(result) ? 'passed' : 'failed',
      is_current: lastPassed.get(stepOf(result)) === result ? 1 : 0,
      output_key: textOf(result.output_key),
      output_entity_id: integerOf(result.output_entity_id, null),
      quality_score: numberOf(result.quality_score, 0),
      l_score: numberOf(result.l_score, 0.5),
      tokens_used: integerOf(result.tokens_used, 0),
      execution_time_ms: integerOf(result.execution_time_ms, 0),
      error_message: textOf(result.error_message),
      created_at: timeOf(result.created_at) ?? now,
    });
  }
  // The earlier server left a pipeline `pending` until its last step.
  connection
    .prepare(
      `update relay_pipelines set status = 'in_progress' where status = 'pending'
         and exists (select 1 from relay_results r where r.pipeline_id = relay_pipelines.id and r.status = 'passed')`,
    )
    .run();
}

/** Finds the agent of an adopted step. */
function agentOfStep(connection: Connection): (pipelineId: string, stepIndex: number) => string | undefined {
  const find = connection
    .prepare<[string, number], string>('select agent_id from relay_steps where pipeline_id = ? and step_index = ?')
    .pluck();
  return (pipelineId, stepIndex) => find.get(pipelineId, stepIndex);
}

function hasPassed(result: LegacyRow): boolean {
  return wordOf(['passed'], result.status) !== undefined;
}

const batonStatuses = ['pending', 'in_progress', 'waiting', 'passed', 'failed', 'cancelled'] as const;

/**
 * Each retry of the earlier server left one more pending baton. Only the newest of a pipeline stays open, and none of a
 * pipeline that has ended.
 */
export function adoptRelayBatons(connection: Connection, batons: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'relay_batons');
  const agentOf = agentOfStep(connection);
  const ended = new Set(
    connection.prepare("select id from relay_pipelines where status in ('completed', 'cancelled')").pluck().all(),
  );
  const newestOpen = new Map(batons.filter(isOpen).map((baton) => [baton.pipeline_id, baton]));
  for (const baton of batons) {
    const mayStayOpen = newestOpen.get(baton.pipeline_id) === baton && !ended.has(baton.pipeline_id);
    const pipelineId = textOf(baton.pipeline_id) ?? '';
    const stepIndex = integerOf(baton.sequence_position, 1) - 1;
    const broken = unreadable(baton.baton_json, 'object');
    insert({
      id: textOf(baton.baton_id) ?? '',
      pipeline_id: pipelineId,
      step_index: stepIndex,
      agent_id: agentOf(pipelineId, stepIndex) ?? null,
      status: isOpen(baton) && !mayStayOpen ? 'set_aside' : statusOf(baton),
      retry_count: integerOf(objectOf(baton.baton_json).retry_count, 0),
      baton: broken === undefined ? (textOf(baton.baton_json) ?? '{}') : JSON.stringify({ legacy_text: broken }),
      created_at: timeOf(baton.created_at) ?? now,
      passed_at: timeOf(baton.passed_at),
    });
  }
}

function statusOf(baton: LegacyRow): (typeof batonStatuses)[number] {
  return wordOf(batonStatuses, baton.status) ?? 'pending';
}

function isOpen(baton: LegacyRow): boolean {
  return ['pending', 'in_progress', 'waiting'].includes(statusOf(baton));
}
