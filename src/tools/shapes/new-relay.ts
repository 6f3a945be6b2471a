import { z } from 'zod';
import type { Json } from '../../base/json.js';
import { mostSteps } from '../../core/relay/create-pipeline.js';
import {
  defaultTokenBudget,
  derivationMethods,
  presetNames,
  standardAgentTypes,
} from '../../core/relay/standard-agents.js';
import { knownWords } from '../call/read-loosely.js';

const agentType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'expected a name of letters, digits, _ and -, up to 64 long')
  .describe(
    'researcher, analyzer, synthesizer, validator, formatter, domain_expert, cross_validator, generalist, or a name of your own.',
  )
  .register(knownWords, { words: standardAgentTypes });
const score = z.number().min(0).max(1);
const tokenBudget = z.int().min(1).max(1_000_000_000);

const step = z.strictObject({
  agent_type: agentType,
  instructions: z
    .string()
    .min(1)
    .max(100_000)
    .optional()
    .describe('What this agent is to do, in addition to its mission.'),
  model: z.string().min(1).max(200).optional().describe('The model that works on it in run_relay.'),
  quality_threshold: score.optional().describe('Its quality gate; 0.6 to 0.8 by agent unless given.'),
  l_score_threshold: score.optional().describe('Its gate for provenance; 0.3 unless given.'),
  max_tokens: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Longest output; 3,000 to 6,000 by agent unless given.'),
  fallback_agent: agentType.optional().describe("Takes the baton while this agent's breaker is open."),
  output_schema: z.record(z.string(), z.custom<Json>()).optional().describe('JSON schema that its output must follow.'),
  derivation_method: z.enum(derivationMethods).optional().describe('How the output comes from the input.'),
  parallel: z.boolean().optional().describe('Works beside the step before it.'),
  approval: z.boolean().optional().describe('A person has to let it pass.'),
});

/** What create_relay_pipeline takes. */
export const newRelay = z.strictObject({
  name: z.string().trim().min(1).max(500).describe('A short name.'),
  goal: z.string().trim().min(1).max(100_000).describe('What the agents are to achieve together.'),
  agent_types: z.array(agentType).max(1_000).optional().describe(`The agents in order, up to ${mostSteps}.`),
  description: z.string().max(100_000).optional().describe('What every agent should know beside the goal.'),
  token_budget: tokenBudget.default(defaultTokenBudget).describe('Most tokens for all steps and their retries.'),
  preset: z
    .enum(presetNames)
    .optional()
    .describe('quick: 3 agents. standard: 5. deep: 7, with an expert and a second validator.'),
  steps: z.array(step).max(1_000).optional().describe('Agents with gates, models and instructions of their own.'),
});
