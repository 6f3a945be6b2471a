import { z } from 'zod';
import type { Json } from '../base/json.js';
import { pipelineStatuses } from '../core/relay/pipeline.js';
import { toNewPipeline } from '../services/new-relay.js';
import { cancelRelay, startRelayRun } from '../services/run-relay.js';
import { defineTool } from './call/define-tool.js';
import { cursor, fields, limit, mark, scope, whenTrue } from './call/fields.js';
import { fromCursor, pagedList, pageOutput, projectOf } from './call/page.js';
import { waitForRelay } from './call/wait.js';
import { budgetUsd } from './shapes/cost.js';
import { heldBatonOutput, showHeldBaton } from './shapes/held-baton.js';
import { warningsOf } from './shapes/job.js';
import { newRelay } from './shapes/new-relay.js';
import {
  advancedOutput,
  batonOutput,
  briefPipelineOutput,
  createdPipelineOutput,
  pipelineOutput,
  showAdvanced,
  showBaton,
  showCreatedPipeline,
  showPipeline,
  showPipelineBriefly,
} from './shapes/relay.js';
import { pipelineStatusOutput, showPipelineStatus } from './shapes/relay-status.js';

const pipelineId = z.string().min(1).max(100).describe('As returned by create_relay_pipeline or list_relay_pipelines.');
const score = z.number().min(0).max(1);
const success = z.literal(true);
const tokenBudget = z.int().min(1).max(1_000_000_000);

const crowdedPipeline = briefPipelineOutput.partial({
  goal: true,
  status: true,
  current_step: true,
  total_steps: true,
  tokens_used: true,
  created_at: true,
  completed_at: true,
  progress_percent: true,
});

/** Relays: agents that work one after the other, each with the output of the one before. */
export const relayTools = [
  defineTool({
    name: 'create_relay_pipeline',
    title: 'Create a relay pipeline',
    effect: 'write',
    description:
      'Creates a relay: agents that work in sequence or beside each other, each step with quality gates. Choose them by agent_types, a preset or steps. Next: get_relay_baton, then advance_relay; or run_relay.',
    input: newRelay,
    output: createdPipelineOutput,
    handler: async (input, { runtime, actor }) =>
      showCreatedPipeline(await runtime.relays.create(toNewPipeline(input), actor)),
  }),

  defineTool({
    name: 'get_relay_status',
    title: 'Get relay status',
    effect: 'read',
    description:
      'Returns a relay: its steps, attempts with scores, tokens, and who has the baton. wait_seconds waits for the end of run_relay. Next: get_relay_baton.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      fields,
      wait_seconds: z
        .int()
        .min(0)
        .max(50)
        .optional()
        .describe('How long to wait at most for the end of a run; no wait unless given.'),
    }),
    output: z.union([pipelineOutput, pipelineStatusOutput]),
    handler: async ({ pipeline_id, wait_seconds = 0, fields }, context) => {
      const detail = await waitForRelay(pipeline_id, wait_seconds * 1000, context);
      return fields === 'full' ? showPipeline(detail) : showPipelineStatus(detail);
    },
  }),

  defineTool({
    name: 'advance_relay',
    title: 'Advance a relay',
    effect: 'write',
    description:
      'Hands in the output of the current step with your scores. If it passes the gates, the next baton is returned; else call retry_relay_step. Pass baton_id, and the output itself.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      quality_score: score.describe('How good the output is.'),
      l_score: score.describe('How well its sources support it.'),
      output_entity_id: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER - 1)
        .optional()
        .describe('Where the output is kept elsewhere, such as in a memory server.'),
      tokens_used: z.int().min(0).max(1_000_000_000).describe('Tokens that the step used; counted in the budget.'),
      output_summary: z.string().max(20_000).optional().describe('What the next agent should know first.'),
      output: z
        .custom<Json>()
        .optional()
        .describe("The output: text, or JSON, as the step's output_schema says if it has one."),
      baton_id: z.string().min(1).max(100).optional().describe('The baton that you worked on.'),
    }),
    output: advancedOutput,
    handler: async ({ pipeline_id, quality_score, l_score, ...input }, { runtime, actor }) => {
      const advance = {
        pipelineId: pipeline_id,
        batonId: input.baton_id,
        qualityScore: quality_score,
        lScore: l_score,
        tokensUsed: input.tokens_used,
        output: input.output,
        outputSummary: input.output_summary,
        outputEntityId: input.output_entity_id,
      };
      return showAdvanced(await runtime.relays.advance(advance, actor), { quality_score, l_score });
    },
  }),

  defineTool({
    name: 'retry_relay_step',
    title: 'Retry a relay step',
    effect: 'write',
    description:
      'Retries the step that failed or has the baton, up to three times; for a step that has passed, restarts the relay from there. Next: get_relay_baton.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      step_index: z.int().min(0).max(1_000).describe('0-based.'),
      feedback: z
        .string()
        .trim()
        .min(1)
        .max(20_000)
        .optional()
        .describe('What the next attempt should do differently.'),
      token_budget: tokenBudget.optional().describe('A new budget for the whole relay, in all.'),
    }),
    output: z.strictObject({
      success,
      baton: batonOutput,
      retry_count: z.int(),
      restarted: mark,
    }),
    handler: async (input, { runtime, actor }) => {
      const { pipeline_id, step_index, feedback, token_budget } = input;
      const request = { pipelineId: pipeline_id, stepIndex: step_index, feedback, tokenBudget: token_budget };
      const { baton, isRestart } = await runtime.relays.retry(request, actor);
      return {
        success: true as const,
        baton: showBaton(baton.document),
        retry_count: baton.retryCount,
        restarted: whenTrue(isRestart),
      };
    },
  }),

  defineTool({
    name: 'list_relay_pipelines',
    title: 'List relays',
    effect: 'read',
    description: 'Lists relays with their progress, newest first. Next: get_relay_status for one.',
    input: z.strictObject({
      status: z.enum(pipelineStatuses).optional().describe('Only relays of this status.'),
      scope: scope.optional(),
      limit: limit(50),
      cursor,
    }),
    output: pageOutput('pipelines', crowdedPipeline).extend({ success }),
    handler: async ({ status, scope, ...input }, { runtime, actor }) => {
      const filter = { status, project: projectOf(actor, scope), beforeSeq: fromCursor(input.cursor) };
      const page = await pagedList('pipelines', input, {
        byDefault: 50,
        read: (limit) => runtime.relays.list({ ...filter, limit }),
        total: () => runtime.relays.count(filter),
        show: showPipelineBriefly,
        placeOf: ({ seq }) => seq,
        shared: ['status', 'current_step', 'total_steps'],
        spared: ['goal', 'tokens_used', 'progress_percent', 'created_at', 'completed_at'],
      });
      return { success: true as const, ...page };
    },
  }),

  defineTool({
    name: 'get_relay_baton',
    title: 'Get the relay baton',
    effect: 'read',
    description:
      'Returns the baton of the current step and the prompt for its agent. Next: do what it says, then advance_relay with this baton_id.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      step_index: z.int().min(0).max(1_000).optional().describe('Which, if several work beside each other; 0-based.'),
      max_chars: z
        .int()
        .min(100)
        .max(2_000_000)
        .optional()
        .describe('Most characters of each text in the prompt; 8,000 of the input and 1,500 of others unless given.'),
    }),
    output: heldBatonOutput,
    handler: async (input, { runtime }) => {
      const held = await runtime.relays.baton(input.pipeline_id, input.step_index);
      return showHeldBaton(held, input.max_chars);
    },
  }),

  defineTool({
    name: 'run_relay',
    title: 'Run a relay',
    effect: 'write',
    isExternal: true,
    description:
      'Lets background models do the steps of a relay, each judged by a second call. Returns at once; resumes after a failure. Next: get_relay_status with wait_seconds.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      model: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('The model of steps that name none, such as claude-sonnet-5-5; the default unless given.'),
      judge_model: z.string().min(1).max(200).optional().describe('The model that judges; model unless given.'),
      token_budget: tokenBudget.optional().describe('A new budget for the whole relay, in all.'),
      budget_usd: budgetUsd.optional().describe('Most US dollars in all.'),
    }),
    output: z.strictObject({
      success,
      pipeline_id: z.string(),
      /** The task_id of the run's first job. */
      run_id: z.string(),
      /** The task_id of the job that works on it now, if that is another. */
      job_id: z.string().optional(),
      status: z.enum(pipelineStatuses),
      /** Nothing has changed: the models are those of the earlier call. */
      already_running: mark,
      warnings: z.array(z.string()).optional(),
    }),
    handler: async (input, { runtime, actor }) => {
      const { pipeline, runId, jobId, isRepeated, warnings } = await startRelayRun(input, actor, runtime);
      return {
        success: true as const,
        pipeline_id: pipeline.id,
        run_id: runId,
        job_id: jobId === runId ? undefined : jobId,
        status: pipeline.status,
        already_running: whenTrue(isRepeated),
        warnings: warningsOf({ warnings }),
      };
    },
  }),

  defineTool({
    name: 'cancel_relay_pipeline',
    title: 'Cancel a relay',
    effect: 'destroy',
    isIdempotent: true,
    isFinal: true,
    description: 'Cancels a relay for good; the outputs of its steps are kept.',
    input: z.strictObject({ pipeline_id: pipelineId }),
    output: z.strictObject({ success, pipeline_id: z.string(), status: z.enum(pipelineStatuses) }),
    handler: async (input, { runtime, actor }) => {
      const { id, status } = await cancelRelay(input.pipeline_id, actor, runtime);
      return { success: true as const, pipeline_id: id, status };
    },
  }),
];
