import type { JsonObject } from '../base/json.js';
import type { NewPipeline, NewStep } from '../core/relay/create-pipeline.js';

/** A relay as create_relay_pipeline takes it. */
export interface NewRelay extends Pick<NewPipeline, 'name' | 'goal' | 'description' | 'preset'> {
  agent_types?: readonly string[] | undefined;
  token_budget: number;
  steps?: readonly NewRelayStep[] | undefined;
}

export interface NewRelayStep extends Pick<NewStep, 'instructions' | 'model'> {
  agent_type: string;
  quality_threshold?: number | undefined;
  l_score_threshold?: number | undefined;
  max_tokens?: number | undefined;
  fallback_agent?: string | undefined;
  output_schema?: JsonObject | undefined;
  derivation_method?: NewStep['derivationMethod'];
  parallel?: boolean | undefined;
  approval?: boolean | undefined;
}

export const toNewPipeline = (given: NewRelay): NewPipeline => ({
  name: given.name,
  goal: given.goal,
  description: given.description,
  preset: given.preset,
  steps: given.steps?.map(toNewStep),
  agentTypes: given.agent_types,
  tokenBudget: given.token_budget,
});

const toNewStep = (given: NewRelayStep): NewStep => ({
  agentType: given.agent_type,
  instructions: given.instructions,
  model: given.model,
  qualityThreshold: given.quality_threshold,
  lScoreThreshold: given.l_score_threshold,
  maxTokens: given.max_tokens,
  fallbackAgent: given.fallback_agent,
  outputSchema: given.output_schema,
  derivationMethod: given.derivation_method,
  isParallel: given.parallel,
  needsApproval: given.approval,
});
