import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { JsonObject } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { Baton } from './baton.js';
import { handOverStage } from './hand-over.js';
import { requireUsableSchema } from './output-schema.js';
import { openRelayBudget, type Pipeline, type PipelineRow, toPipeline } from './pipeline.js';
import {
  agentSpecOf,
  type DerivationMethod,
  defaultLScoreThreshold,
  isStandardAgent,
  type Preset,
  presetNames,
  presets,
  standardAgentTypes,
  standardSpelling,
} from './standard-agents.js';
import type { StepRow } from './step.js';

export const mostSteps = 50;

/** A step as its creator describes it. The standard agent of its type fills in what is left out. */
export interface NewStep {
  agentType: string;
  instructions?: string | undefined;
  model?: string | undefined;
  qualityThreshold?: number | undefined;
  lScoreThreshold?: number | undefined;
  maxTokens?: number | undefined;
  fallbackAgent?: string | undefined;
  outputSchema?: JsonObject | undefined;
  derivationMethod?: DerivationMethod | undefined;
  /** It works beside the step before it, from the same input. */
  isParallel?: boolean | undefined;
  /** Its output waits for a person after it has passed its gates. */
  needsApproval?: boolean | undefined;
}

/** Its agents are named by exactly one of `agentTypes`, `preset` and `steps`. */
export interface NewPipeline {
  name: string;
  goal: string;
  description?: string | undefined;
  tokenBudget: number;
  agentTypes?: readonly string[] | undefined;
  preset?: Preset | undefined;
  steps?: readonly NewStep[] | undefined;
}

export interface CreatedPipeline {
  pipeline: Pipeline;
  /** Of the first step, and of those that work beside it. */
  batons: Baton[];
  agentTypes: string[];
  warnings: string[];
}

/** The steps of a new relay, from whichever of the three ways it names its agents by. Throws `invalid`. */
export async function planSteps({ agentTypes, preset, steps }: NewPipeline): Promise<NewStep[]> {
  const ways = Object.entries({ agent_types: agentTypes, preset, steps }).flatMap(([way, value]) =>
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
    steps ?? (preset ? presets[preset] : (agentTypes ?? [])).map((agentType) => ({ agentType }));
  if (planned.length === 0 || planned.length > mostSteps) {
    throw new RuntimeError(
      'invalid',
      `A relay has 1 to ${mostSteps} steps, and ${ways[0]} names ${planned.length}.`,
      planned.length === 0
        ? `Standard agents: ${standardAgentTypes.join(', ')}.`
        : 'Make several relays, each starting from what the one before it delivered.',
    );
  }
  if (planned[0]?.isParallel) {
    throw new RuntimeError(
      'invalid',
      'steps[0].parallel: the first step has none before it that it could work beside.',
      'Leave it out there: the steps after it that say parallel work beside it.',
    );
  }
  for (const [index, { outputSchema }] of planned.entries()) {
    if (outputSchema) await requireUsableSchema(outputSchema, `steps[${index}].output_schema`);
  }
  return planned.map((step) => ({
    ...step,
    agentType: standardSpelling(step.agentType),
    fallbackAgent: step.fallbackAgent === undefined ? undefined : standardSpelling(step.fallbackAgent),
  }));
}

/** Stores a relay, its steps, its budget, and the batons of its first stage. */
export async function createPipeline(
  sql: Sql,
  request: NewPipeline,
  steps: readonly NewStep[],
  actor: Actor,
  clock: Clock,
): Promise<CreatedPipeline> {
  const at = clock.now();
  const change = { at, actor, clock };
  const row = await insertRow<PipelineRow>(sql, 'relay_pipelines', {
    id: newShortId(),
    name: request.name,
    goal: request.goal,
    description: request.description ?? '',
    total_steps: steps.length,
    token_budget: request.tokenBudget,
    project: actor.project,
    created_at: at,
    updated_at: at,
  });
  const pipeline = toPipeline(row);
  for (const [index, step] of steps.entries()) await insertStep(sql, pipeline.id, index, step);
  await openRelayBudget(sql, pipeline, at);
  const agentTypes = steps.map((step) => step.agentType);
  const data = { agents: agentTypes, token_budget: pipeline.tokenBudget };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'created', data });
  const batons = await handOverStage(sql, pipeline, 0, change);
  return { pipeline, batons, agentTypes, warnings: warningsOf(steps) };
}

async function insertStep(sql: Sql, pipelineId: string, index: number, step: NewStep): Promise<void> {
  const spec = agentSpecOf(step.agentType);
  await insertRow<StepRow>(sql, 'relay_steps', {
    pipeline_id: pipelineId,
    step_index: index,
    agent_id: step.agentType,
    agent_type: step.agentType,
    task_template: spec.mission,
    instructions: step.instructions ?? null,
    expected_output_type: spec.outputType,
    derivation_method: step.derivationMethod ?? spec.derivationMethod,
    max_tokens: step.maxTokens ?? spec.maxTokens,
    quality_threshold: step.qualityThreshold ?? spec.qualityThreshold,
    l_score_threshold: step.lScoreThreshold ?? defaultLScoreThreshold,
    fallback_agent: step.fallbackAgent ?? null,
    model: step.model ?? null,
    output_schema: step.outputSchema ? JSON.stringify(step.outputSchema) : null,
    capabilities: JSON.stringify(spec.capabilities),
    is_parallel: Number(step.isParallel ?? false),
    needs_approval: Number(step.needsApproval ?? false),
  });
}

/** An agent name of the caller's own is allowed. Without instructions it may be a typing error. */
function warningsOf(steps: readonly NewStep[]): string[] {
  const unknown = steps.filter((step) => !isStandardAgent(step.agentType) && step.instructions === undefined);
  if (unknown.length === 0) return [];
  const names = [...new Set(unknown.map((step) => step.agentType))].join(', ');
  return [
    `${names}: no standard agent and no instructions, so only the general mission. Standard agents: ${standardAgentTypes.join(', ')}.`,
  ];
}
