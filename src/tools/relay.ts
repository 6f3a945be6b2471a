import { z } from 'zod';
import type { Json } from '../base/json.js';
import { cut } from '../base/text.js';
import { promptOf } from '../core/relay/baton-prompt.js';
import { mostSteps, type NewStep } from '../core/relay/create-pipeline.js';
import { pipelineStatuses } from '../core/relay/pipeline.js';
import { defaultTokenBudget, derivationMethods, presetNames } from '../core/relay/standard-agents.js';
import { cancelRelay, startRelayRun } from '../services/run-relay.js';
import { defineTool } from './call/define-tool.js';
import { cursor, fields, limit, scope } from './call/fields.js';
import { fromCursor, rowsFor, toPage } from './call/page.js';
import { projectOf } from './call/project.js';
import { waitForRelay } from './call/wait-for-relay.js';
import {
  advancedOutput,
  batonOutput,
  briefPipelineOutput,
  pipelineOutput,
  showAdvanced,
  showBaton,
  showPipeline,
  showPipelineBriefly,
} from './shapes/relay.js';

const pipelineId = z.string().min(1).max(100).describe('As returned by create_relay_pipeline or list_relay_pipelines.');
const agentType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'expected a name of letters, digits, _ and -, up to 64 long')
  .describe(
    'researcher, analyzer, synthesizer, validator, formatter, domain_expert, cross_validator, generalist, or a name of your own.',
  );
const score = z.number().min(0).max(1);
const tokenBudget = z.int().min(1).max(1_000_000_000);

const step = z.strictObject({
  agent_type: agentType,
  instructions: z.string().min(1).max(100_000).optional().describe('What this agent is to do, beside its mission.'),
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
});

const toNewStep = (given: z.output<typeof step>): NewStep => ({
  agentType: given.agent_type,
  instructions: given.instructions,
  model: given.model,
  qualityThreshold: given.quality_threshold,
  lScoreThreshold: given.l_score_threshold,
  maxTokens: given.max_tokens,
  fallbackAgent: given.fallback_agent,
  outputSchema: given.output_schema,
  derivationMethod: given.derivation_method,
});

/** Relays: agents in a row, each with what the one before it has made. */
export const relayTools = [
  defineTool({
    name: 'create_relay_pipeline',
    title: 'Create a relay pipeline',
    effect: 'write',
    description:
      'Creates a relay of agents that hand a baton to each other, each step with quality gates, and the baton of step 1 ' +
      'with it. Name the agents by agent_types, a preset, or steps of your own. Next: get_relay_baton for the prompt of ' +
      'step 1, then advance_relay with what came of it; or run_relay to have models work on all of it.',
    input: z.strictObject({
      name: z.string().trim().min(1).max(500).describe('A short name.'),
      goal: z.string().trim().min(1).max(100_000).describe('What all agents together are to reach.'),
      agent_types: z.array(agentType).max(1_000).optional().describe(`The agents in order, up to ${mostSteps}.`),
      description: z.string().max(100_000).optional().describe('What every agent should know beside the goal.'),
      token_budget: tokenBudget.default(defaultTokenBudget).describe('Most tokens for all steps and their retries.'),
      preset: z
        .enum(presetNames)
        .optional()
        .describe('quick: 3 agents. standard: 5. deep: 7, with an expert and a second validator.'),
      steps: z.array(step).max(1_000).optional().describe('Agents with gates, models and instructions of their own.'),
    }),
    output: z.object({
      success: z.boolean(),
      pipeline_id: z.string(),
      name: z.string(),
      goal: z.string(),
      agent_count: z.int(),
      agents: z.array(z.string()),
      token_budget: z.int(),
      baton_id: z.string().describe('Of step 1.'),
      handed_over: z.string().optional(),
      warnings: z.array(z.string()).optional(),
    }),
    handler: async (input, { runtime, actor }) => {
      const { name, goal, description, preset } = input;
      const steps = input.steps?.map(toNewStep);
      const request = {
        name,
        goal,
        description,
        preset,
        steps,
        agentTypes: input.agent_types,
        tokenBudget: input.token_budget,
      };
      const { pipeline, baton, agentTypes, warnings } = await runtime.relays.create(request, actor);
      return {
        success: true,
        pipeline_id: pipeline.id,
        name: pipeline.name,
        goal: cut(pipeline.goal, 1_000),
        agent_count: pipeline.totalSteps,
        agents: agentTypes,
        token_budget: pipeline.tokenBudget,
        baton_id: baton.id,
        handed_over: baton.document.handed_over,
        warnings: warnings.length === 0 ? undefined : warnings,
      };
    },
  }),

  defineTool({
    name: 'get_relay_status',
    title: 'Read a relay',
    effect: 'read',
    description:
      'How a relay stands: its agents, every attempt with its scores, averages over those that passed, tokens, who has the ' +
      'baton, and whether it is running by itself (wait_seconds waits for its end). fields "full" adds the outputs. Next: ' +
      'get_relay_baton.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      fields,
      wait_seconds: z
        .int()
        .min(0)
        .max(50)
        .optional()
        .describe('Waits at most this long for a relay that runs by itself to end; does not wait unless given.'),
    }),
    output: pipelineOutput,
    handler: async ({ pipeline_id, wait_seconds = 0, fields }, context) =>
      showPipeline(await waitForRelay(pipeline_id, wait_seconds * 1000, context), fields === 'full'),
  }),

  defineTool({
    name: 'advance_relay',
    title: 'Pass the baton on',
    effect: 'write',
    description:
      'Hands in what came of the step that has the baton, with your judgement of it. Passing its gates moves the baton on and ' +
      'returns it; otherwise the step fails with a reason: call retry_relay_step. Always pass baton_id, so that an old baton ' +
      'cannot pass twice. Pass the output itself: the next agent gets it.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      quality_score: score.describe('How good the output is, from 0 to 1.'),
      l_score: score.describe('How well its sources carry it, from 0 to 1.'),
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
      'A new baton for the step that failed or has the baton, with the reason of the failure in its prompt; three retries a ' +
      'step. For a step that has passed, restarts the relay from there: later results are set aside and kept. Next: ' +
      'get_relay_baton.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      step_index: z.int().min(0).max(1_000).describe('0-based.'),
      feedback: z.string().trim().min(1).max(20_000).optional().describe('What the next attempt should do otherwise.'),
      token_budget: tokenBudget.optional().describe('A new budget for the whole relay, in all.'),
    }),
    output: z.object({
      success: z.boolean(),
      baton: batonOutput,
      retry_count: z.int(),
      restarted: z.boolean().optional(),
    }),
    handler: async (input, { runtime, actor }) => {
      const { pipeline_id, step_index, feedback, token_budget } = input;
      const request = { pipelineId: pipeline_id, stepIndex: step_index, feedback, tokenBudget: token_budget };
      const { baton, isRestart } = await runtime.relays.retry(request, actor);
      const restarted = isRestart ? true : undefined;
      return { success: true, baton: showBaton(baton.document), retry_count: baton.retryCount, restarted };
    },
  }),

  defineTool({
    name: 'list_relay_pipelines',
    title: 'List relays',
    effect: 'read',
    description: 'Relays with their progress, newest first. Next: get_relay_status for one.',
    input: z.strictObject({
      status: z.enum(pipelineStatuses).optional().describe('Only relays of this status.'),
      scope: scope.optional(),
      limit: limit(50),
      cursor,
    }),
    output: z.object({
      success: z.boolean(),
      count: z.int(),
      pipelines: z.array(briefPipelineOutput),
      next_cursor: z.string().optional(),
    }),
    handler: async (input, { runtime, actor }) => {
      const wishes = { limit: input.limit, byDefault: 50 };
      const filter = {
        status: input.status,
        project: projectOf(actor, input.scope),
        beforeSeq: fromCursor(input.cursor),
      };
      const rows = await runtime.relays.list({ ...filter, limit: rowsFor(wishes) });
      const { items, ...rest } = toPage(rows, wishes, showPipelineBriefly, (row) => row.seq);
      return { success: true, count: items.length, pipelines: items, ...rest };
    },
  }),

  defineTool({
    name: 'get_relay_baton',
    title: 'Read the baton',
    effect: 'read',
    description:
      'The baton of the step that is to be worked on now, and the prompt for its agent: goal, input, mission, gates, ' +
      'provenance, and what was wrong with earlier attempts. Next: do what the prompt says, then advance_relay with this ' +
      'baton_id.',
    input: z.strictObject({
      pipeline_id: pipelineId,
      max_chars: z
        .int()
        .min(100)
        .max(2_000_000)
        .optional()
        .describe('Most characters of each text in the prompt; 8,000 of the input and 1,500 of others unless given.'),
    }),
    output: z.object({
      success: z.boolean(),
      status: z.string().describe('pending; in_progress: a job works on it; waiting: breakers let nobody have it yet.'),
      baton: batonOutput,
      prompt: z.string(),
    }),
    handler: async (input, { runtime }) => {
      const held = await runtime.relays.baton(input.pipeline_id);
      const { max_chars: most } = input;
      const limits = most === undefined ? { input: 8_000, other: 1_500 } : { input: most, other: most };
      const prompt = promptOf({ ...held, reader: 'session', limits });
      return { success: true, status: held.baton.status, baton: showBaton(held.baton.document), prompt };
    },
  }),

  defineTool({
    name: 'run_relay',
    title: 'Run a relay to its end',
    effect: 'write',
    isExternal: true,
    description:
      'Has background models work a relay through: each step a job with the prompt of its baton, a second call as the judge ' +
      'of its quality and sources; gates, retries, fallbacks and budget as by hand. Returns at once and goes on when this ' +
      'session ends. Next: get_relay_status with wait_seconds, cancel_relay_pipeline to stop it. After a failure it goes on ' +
      'from the failed step.',
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
    }),
    output: z.object({
      success: z.boolean(),
      pipeline_id: z.string(),
      run_id: z.string().describe("The task_id of the run's first job."),
      job_id: z.string().optional().describe('The task_id of the job that works on it now, if that is another.'),
      status: z.string(),
      already_running: z
        .boolean()
        .optional()
        .describe('Nothing has changed: the models are those of the earlier call.'),
    }),
    handler: async (input, { runtime, actor }) => {
      const { pipeline, runId, jobId, isRepeated } = await startRelayRun(input, actor, runtime);
      return {
        success: true,
        pipeline_id: pipeline.id,
        run_id: runId,
        job_id: jobId === runId ? undefined : jobId,
        status: pipeline.status,
        already_running: isRepeated ? true : undefined,
      };
    },
  }),

  defineTool({
    name: 'cancel_relay_pipeline',
    title: 'Cancel a relay',
    effect: 'destroy',
    isIdempotent: true,
    description:
      'Ends a relay for good, with the background job that works on it. What its steps have delivered is kept and can be ' +
      'read with get_relay_status.',
    input: z.strictObject({ pipeline_id: pipelineId }),
    output: z.object({ success: z.boolean(), pipeline_id: z.string(), status: z.string() }),
    handler: async (input, { runtime, actor }) => {
      const { id, status } = await cancelRelay(input.pipeline_id, actor, runtime);
      return { success: true, pipeline_id: id, status };
    },
  }),
];
