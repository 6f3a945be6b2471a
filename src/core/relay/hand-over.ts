import { newShortId } from '../../base/ids.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type ChosenAgent, chooseAgent } from './agent-breakers.js';
import type { Baton, BatonRow } from './baton.js';
import { maxRetries, outputText, type PipelineRow, type ResultRow, type StepRow, toOutput } from './pipeline.js';
import { remainingTokens } from './relay-budget.js';
import { currentResults, findStep } from './relay-rows.js';

const longestSummary = 2_000;

export interface HandOver {
  stepIndex: number;
  /** 0 for the first try of the step. */
  retryCount: number;
  feedback?: readonly string[];
}

/** Makes the baton of a step and gives it to its agent, or to one that stands in for it. */
export async function handOver(
  sql: Sql,
  pipeline: PipelineRow,
  { stepIndex, retryCount, feedback = [] }: HandOver,
  change: Change,
): Promise<BatonRow> {
  const step = await findStep(sql, pipeline.id, stepIndex);
  const id = newShortId();
  const chosen = await chooseAgent(sql, { agentId: step.agent_id, fallback: step.fallback_agent, batonId: id }, change);
  const baton: Baton = {
    ...(await describeStep(sql, pipeline, step)),
    baton_id: id,
    retry_count: retryCount,
    max_retries: maxRetries,
    created_at: new Date(change.at).toISOString(),
    passed_at: null,
    agent_type: step.agent_type,
    ...heldBy(chosen),
    ...(feedback.length === 0 ? {} : { quality_feedback: [...feedback] }),
  };
  const row = await sql.get<BatonRow>(
    `insert into relay_batons (id, pipeline_id, step_index, status, retry_count, attempt, agent_id, handed_to, baton, created_at)
     values (?, ?, ?, ?, ?, (select coalesce(max(attempt), 0) + 1 from relay_batons where pipeline_id = ? and step_index = ?),
       ?, ?, ?, ?) returning *`,
    id,
    pipeline.id,
    stepIndex,
    chosen.isAllowed ? 'pending' : 'waiting',
    retryCount,
    pipeline.id,
    stepIndex,
    chosen.agentId,
    change.actor?.holder ?? null,
    JSON.stringify(baton),
    change.at,
  );
  if (!row) throw new Error('An insert returned no row.');
  await recordHandOver(sql, row, step, chosen, change);
  return row;
}

const heldBy = ({ agentId, note }: ChosenAgent): Partial<Baton> => ({
  agent_id: agentId,
  ...(note === undefined ? {} : { handed_over: note }),
});

/** A baton that nobody was allowed to take: perhaps somebody is now. Any other is as it was. */
export async function admitWaiting(
  sql: Sql,
  baton: BatonRow,
  step: StepRow,
  change: Change,
): Promise<{ baton: BatonRow } | { refusal: string; retryAfterMs: number | undefined }> {
  if (baton.status !== 'waiting') return { baton };
  const wish = { agentId: step.agent_id, fallback: step.fallback_agent, batonId: baton.id };
  const chosen = await chooseAgent(sql, wish, change);
  if (!chosen.isAllowed) {
    const refusal = `Nobody may work on step ${step.step_index} now: ${chosen.note}`;
    return { refusal, retryAfterMs: chosen.retryAfterMs };
  }
  // Only now it is handed over.
  const { handed_over: _, ...document } = readJson<Baton>(baton.baton);
  const text = JSON.stringify({ ...document, ...heldBy(chosen) });
  const admitted: BatonRow = { ...baton, status: 'pending', agent_id: chosen.agentId, baton: text };
  await sql.run(
    "update relay_batons set status = 'pending', agent_id = ?, baton = ? where id = ?",
    chosen.agentId,
    text,
    baton.id,
  );
  await recordHandOver(sql, admitted, step, chosen, change);
  return { baton: admitted };
}

async function describeStep(sql: Sql, pipeline: PipelineRow, step: StepRow) {
  const earlier = (await currentResults(sql, pipeline.id)).filter((result) => result.step_index < step.step_index);
  const previous = earlier.at(-1);
  return {
    sequence_position: step.step_index + 1,
    total_agents: pipeline.total_steps,
    input_key: previous?.output_key ?? '',
    input_summary: previous ? summaryOf(previous) : '',
    input_entity_id: previous ? previous.output_entity_id : pipeline.initial_entity_id,
    task_description: [step.task_template, step.instructions].filter(Boolean).join('\n\n'),
    output_key: outputKeyOf(step),
    expected_output_type: step.expected_output_type,
    quality_threshold: step.quality_threshold,
    l_score_threshold: step.l_score_threshold,
    max_output_tokens: step.max_tokens,
    remaining_budget: await remainingTokens(sql, pipeline),
    tokens_used: 0,
    source_chain: earlier.map((result) => result.output_entity_id ?? result.output_key ?? `step ${result.step_index}`),
    l_score_chain: earlier.map((result) => result.l_score),
    derivation_method: step.derivation_method,
    fallback_agent: step.fallback_agent,
    pipeline_id: pipeline.id,
  };
}

export const outputKeyOf = (step: StepRow): string =>
  `relay_${step.pipeline_id}_step${step.step_index}_${step.agent_type}`;

function summaryOf(result: ResultRow): string {
  const text = result.output_summary ?? outputText(toOutput(result));
  return text.length <= longestSummary ? text : `${text.slice(0, longestSummary - 3)}...`;
}

async function recordHandOver(
  sql: Sql,
  row: BatonRow,
  step: StepRow,
  chosen: ChosenAgent,
  change: Change,
): Promise<void> {
  await recordEvent(sql, {
    ...change,
    subject: 'relay',
    subjectId: row.pipeline_id,
    type: chosen.isAllowed ? 'baton_handed_over' : 'baton_waiting',
    data: {
      baton_id: row.id,
      step: row.step_index,
      agent: chosen.agentId,
      ...(chosen.agentId === step.agent_id ? {} : { in_place_of: step.agent_id }),
      ...(chosen.note === undefined ? {} : { note: chosen.note }),
    },
  });
}
