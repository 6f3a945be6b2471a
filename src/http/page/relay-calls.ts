import { z } from 'zod';
import { agentSpecOf, presets, standardAgentTypes } from '../../core/relay/standard-agents.js';
import { decideRelayStep } from '../../services/run-relay.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { whenTrue } from '../../tools/call/fields.js';
import { showHeldBaton } from '../../tools/shapes/held-baton.js';
import { advancedOutput, showAdvanced, showPipeline } from '../../tools/shapes/relay.js';
import { relayAgents, relayBaton, relayOnPage } from './relays.js';

const pipelineId = z.string().min(1).max(100).describe('Of the relay.');

/** What the page shows of relays and offers to do about them. */
export const relayCalls = [
  defineTool({
    name: 'relay',
    title: 'A relay in full',
    effect: 'read',
    description: 'A relay with every attempt, and whether its step may be retried.',
    input: z.strictObject({ pipeline_id: pipelineId }),
    output: relayOnPage,
    handler: async ({ pipeline_id }, { runtime }) => {
      const detail = await runtime.relays.get(pipeline_id);
      return { ...showPipeline(detail), may_retry: whenTrue(await runtime.relays.mayRetry(detail)) };
    },
  }),

  defineTool({
    name: 'relay_baton',
    title: 'An open baton',
    effect: 'read',
    description: 'A baton with the prompt for its agent. One that was passed on meanwhile is no error.',
    input: z.strictObject({ pipeline_id: pipelineId, baton_id: z.string().min(1).max(100).describe('Of the baton.') }),
    output: relayBaton,
    handler: async ({ pipeline_id, baton_id }, { runtime }) => {
      const held = await runtime.relays.openBaton(pipeline_id, baton_id);
      return { held: held && showHeldBaton(held) };
    },
  }),

  defineTool({
    name: 'relay_agents',
    title: 'Agents of relays',
    effect: 'read',
    description: 'The standard agents with their missions, and the presets made of them.',
    input: z.strictObject({}),
    output: relayAgents,
    handler: async () => ({
      agents: standardAgentTypes.map((type) => ({ type, mission: agentSpecOf(type).mission })),
      presets: { quick: [...presets.quick], standard: [...presets.standard], deep: [...presets.deep] },
    }),
  }),

  defineTool({
    name: 'set_relay_budget',
    title: 'Set the budget of a relay',
    effect: 'write',
    description: 'Sets how many tokens a relay may use in all.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      token_budget: z.int().min(1).max(1_000_000_000).describe('For all steps and their retries.'),
    }),
    output: z.strictObject({ token_budget: z.int() }),
    handler: async ({ pipeline_id, token_budget }, { runtime, actor }) => {
      await runtime.relays.changeBudget(pipeline_id, token_budget, actor);
      return { token_budget };
    },
  }),

  defineTool({
    name: 'approve_relay_step',
    title: 'Let a step of a relay pass',
    effect: 'write',
    description:
      'Lets a step pass that waits for a person, or sends it back. No tool does it, so that no model approves.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      step_index: z.int().min(0).max(1_000).optional().describe('0-based; needed where several steps wait.'),
      approve: z.boolean().describe('False sends it back.'),
      feedback: z
        .string()
        .trim()
        .min(1)
        .max(20_000)
        .optional()
        .describe('What the next attempt should do differently.'),
    }),
    output: advancedOutput,
    handler: async ({ pipeline_id, step_index, approve, feedback }, { runtime, actor }) => {
      const request = { pipelineId: pipeline_id, stepIndex: step_index, isApproved: approve, feedback };
      return showAdvanced(await decideRelayStep(request, actor, runtime));
    },
  }),
];
