import { z } from 'zod';
import { decideRelayStep } from '../../services/run-relay.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { advancedOutput, showAdvanced } from '../../tools/shapes/relay.js';

/** No tool does it, so that no model lets its own work pass. */
export const relayWrites = [
  defineTool({
    name: 'approve_relay_step',
    title: 'Let a step of a relay pass',
    effect: 'write',
    description: 'Lets a step pass that waits for a person, or sends it back with what should be different.',
    input: z.strictObject({
      pipeline_id: z.string().min(1).max(100).describe('The relay.'),
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
