import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { JsonObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { BatonRow } from './baton.js';
import { handOver } from './hand-over.js';
import { requireUsableSchema } from './output-schema.js';
import type { PipelineRow } from './pipeline.js';
import { openRelayBudget } from './relay-budget.js';
import {
  agentSpecOf,
  type DerivationMethod,
  defaultLScoreThreshold,
  isStandardAgent,
  type Preset,
  presetNames,
  presets,
  standardAgentTypes,
} from './standard-agents.js';

export const mostSteps = 50;

/** A step as its creator describes it; what it leaves out, the standard agent of its type says. */
export interface NewStep {
  agent_type: string;
  instructions?: string | undefined;
  model?: string | undefined;
  quality_threshold?: number | undefined;
  l_score_threshold?: number | undefined;
  max_tokens?: number | undefined;
  fallback_agent?: string | undefined;
  output_schema?: JsonObject | undefined;
  derivation_method?: DerivationMethod | undefined;
}

export interface NewPipeline {
  name: string;
  goal: string;
  description?: string | undefined;
  token_budget: number;
  agent_types?: readonly string[] | undefined;
  preset?: Preset | undefined;
  steps?: readonly NewStep[] | undefined;
}

export interface CreatedPipeline {
  row: PipelineRow;
  baton: BatonRow;
  agentTypes: string[];
  warnings: string[];
}

/** The steps that are wanted, by whichever of the three ways they were named. Throws `invalid`. */
export async function planSteps({ agent_types, preset, steps }: NewPipeline): Promise<NewStep[]> {
  const ways = Object.entries({ agent_types, preset, steps }).flatMap(([way, value]) =>
    value === undefined ? [] : [way],
  );
  if (ways.length !== 1) {
    throw new RuntimeError(
      'invalid',
      ways.length === 0 ? 'A relay needs its agents.' : `${ways.join(' and ')} each name the agents of the relay.`,
      `Pass one of agent_types, preset (${presetNames.join(', ')}) and steps.`,
    );
  }
  const planned: readonly NewStep[] =
    steps ?? (preset ? presets[preset] : (agent_types ?? [])).map((agent_type) => ({ agent_type }));
  if (planned.length === 0 || planned.length > mostSteps) {
    throw new RuntimeError(
      'invalid',
      `A relay has 1 to ${mostSteps} steps, and ${ways[0]} names ${planned.length}.`,
      planned.length === 0
        ? `Standard agents: ${standardAgentTypes.join(', ')}.`
        : 'Make several relays, each starting from what the one before it delivered.',
    );
  }
  for (const [index, { output_schema }] of planned.entries()) {
    if (output_schema) await requireUsableSchema(output_schema, `steps[${index}]`);
  }
  return [...planned];
}

/** Stores a relay, its steps, its budget, and the baton of its first step. */
export async function createPipeline(
  sql: Sql,
  wish: NewPipeline,
  steps: readonly NewStep[],
  actor: Actor,
  at: number,
): Promise<CreatedPipeline> {
  const change = { at, actor };
  const id = newShortId();
  const row = await sql.get<PipelineRow>(
    `insert into relay_pipelines (id, name, goal, description, total_steps, token_budget, project, created_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning *`,
    id,
    wish.name,
    wish.goal,
    wish.description ?? '',
    steps.length,
    wish.token_budget,
    actor.project,
    at,
    at,
  );
  if (!row) throw new Error('An insert returned no row.');
  for (const [index, step] of steps.entries()) await insertStep(sql, id, index, step);
  await openRelayBudget(sql, row, at);
  const agentTypes = steps.map((step) => step.agent_type);
  await recordEvent(sql, {
    ...change,
    subject: 'relay',
    subjectId: id,
    type: 'created',
    data: { agents: agentTypes, token_budget: wish.token_budget },
  });
  const baton = await handOver(sql, row, { stepIndex: 0, retryCount: 0 }, change);
  return { row, baton, agentTypes, warnings: warningsOf(steps) };
}

async function insertStep(sql: Sql, pipelineId: string, index: number, step: NewStep): Promise<void> {
  const spec = agentSpecOf(step.agent_type);
  await sql.run(
    `insert into relay_steps (pipeline_id, step_index, agent_id, agent_type, task_template, instructions,
       expected_output_type, derivation_method, max_tokens, quality_threshold, l_score_threshold, fallback_agent, model,
       output_schema, capabilities) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    pipelineId,
    index,
    step.agent_type,
    step.agent_type,
    spec.mission,
    step.instructions ?? null,
    spec.outputType,
    step.derivation_method ?? spec.derivationMethod,
    step.max_tokens ?? spec.maxTokens,
    step.quality_threshold ?? spec.qualityThreshold,
    step.l_score_threshold ?? defaultLScoreThreshold,
    step.fallback_agent ?? null,
    step.model ?? null,
    step.output_schema ? JSON.stringify(step.output_schema) : null,
    JSON.stringify(spec.capabilities),
  );
}

/** A name of one's own is welcome, but one without instructions may be a slip of the pen. */
function warningsOf(steps: readonly NewStep[]): string[] {
  const unknown = steps.filter((step) => !isStandardAgent(step.agent_type) && step.instructions === undefined);
  if (unknown.length === 0) return [];
  const names = [...new Set(unknown.map((step) => step.agent_type))].join(', ');
  return [
    `${names}: no standard agent and no instructions, so only the general mission. Standard agents: ${standardAgentTypes.join(', ')}.`,
  ];
}
