import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { BatonDocument } from '../../core/relay/baton.js';
import type { CreatedPipeline } from '../../core/relay/create-pipeline.js';
import type { Advanced } from '../../core/relay/end-step.js';
import { pipelineStatuses } from '../../core/relay/pipeline.js';
import type { ListedPipeline, PipelineDetail } from '../../core/relay/relays.js';
import { waysOnWithoutRetries } from '../../core/relay/retry-step.js';
import type { Step, StepResult } from '../../core/relay/step.js';
import { iso, mark, whenTrue } from '../call/fields.js';
import { moneyFields, showMoney } from './cost.js';
import { jobErrorOutput } from './job.js';

/** The baton with the keys that the relay protocol gives it. */
export const batonOutput = z.strictObject({
  baton_id: z.string(),
  /** 1-based. */
  sequence_position: z.int(),
  total_agents: z.int(),
  input_key: z.string(),
  input_summary: z.string(),
  input_entity_id: z.int().nullable(),
  task_description: z.string(),
  output_key: z.string(),
  expected_output_type: z.string(),
  quality_threshold: z.number(),
  l_score_threshold: z.number(),
  max_output_tokens: z.int(),
  remaining_budget: z.int(),
  tokens_used: z.int(),
  source_chain: z.array(z.union([z.int(), z.string()])),
  l_score_chain: z.array(z.number()),
  derivation_method: z.string(),
  retry_count: z.int(),
  max_retries: z.int(),
  fallback_agent: z.string().nullable(),
  pipeline_id: z.string(),
  created_at: z.string(),
  passed_at: z.string().nullable(),
  /** Who has it. */
  agent_id: z.string().optional(),
  agent_type: z.string().optional(),
  /** Why another agent than the step names has it, or none yet. */
  handed_over: z.string().optional(),
  /** What was wrong with the attempts before. */
  quality_feedback: z.array(z.string()).optional(),
});

/** Longest text of a baton, unless the caller asks for more. */
const usualText = 1_000;

export function showBaton(baton: BatonDocument, longestText = usualText): z.infer<typeof batonOutput> {
  return {
    ...baton,
    task_description: cut(baton.task_description, longestText),
    input_summary: cut(baton.input_summary, longestText),
    quality_feedback: baton.quality_feedback?.map((reason) => cut(reason, longestText)),
  };
}

/** A relay that was just created, with the baton of its first step. */
export const createdPipelineOutput = z.strictObject({
  success: z.literal(true),
  pipeline_id: z.string(),
  name: z.string(),
  goal: z.string(),
  agent_count: z.int(),
  agents: z.array(z.string()),
  token_budget: z.int(),
  baton_id: z.string(),
  /** Of the steps that work beside the first. */
  parallel_baton_ids: z.array(z.string()).optional(),
  handed_over: z.string().optional(),
  warnings: z.array(z.string()).optional(),
});

export type ShownCreatedPipeline = z.infer<typeof createdPipelineOutput>;

export function showCreatedPipeline(created: CreatedPipeline): z.infer<typeof createdPipelineOutput> {
  const { pipeline, batons, agentTypes, warnings } = created;
  const [first, ...others] = batons;
  return {
    success: true,
    pipeline_id: pipeline.id,
    name: pipeline.name,
    goal: cut(pipeline.goal, 1_000),
    agent_count: pipeline.totalSteps,
    agents: agentTypes,
    token_budget: pipeline.tokenBudget,
    baton_id: first?.id ?? '',
    parallel_baton_ids: others.length === 0 ? undefined : others.map(({ id }) => id),
    handed_over: first?.document.handed_over,
    warnings: warnings.length === 0 ? undefined : warnings,
  };
}

/** The outcome of an advance: the next baton, the end of the relay, or why the step failed. */
export const advancedOutput = z.strictObject({
  success: z.boolean(),
  next_baton: batonOutput.optional(),
  /** Those of the steps that work beside that one: get_relay_baton with step_index has each. */
  parallel_batons: z.array(z.strictObject({ baton_id: z.string(), step_index: z.int() })).optional(),
  /** 1-based, of total_steps. */
  next_step: z.int().optional(),
  total_steps: z.int().optional(),
  /** pipeline_completed, awaiting_approval, awaiting_parallel_steps, quality_gate_failed or invalid_output. */
  status: z.string().optional(),
  message: z.string().optional(),
  quality_score: z.number().optional(),
  l_score: z.number().optional(),
  reason: z.string().optional(),
  /** 0-based, for retry_relay_step. */
  step_index: z.int().optional(),
  retries_left: z.int().optional(),
  next: z.string().optional(),
});

export type ShownAdvanced = z.infer<typeof advancedOutput>;

export function showAdvanced(
  advanced: Advanced,
  /** Of the attempt that was handed in. */
  scores: { quality_score?: number; l_score?: number } = {},
): z.infer<typeof advancedOutput> {
  switch (advanced.kind) {
    case 'passed': {
      const [first, ...others] = advanced.batons;
      if (!first) {
        const step = advanced.pipeline.currentStep;
        const message = `Passed. Others work beside it: step ${step} has not passed yet.`;
        return { success: true, status: 'awaiting_parallel_steps', message };
      }
      const next_baton = showBaton(first.document);
      const { sequence_position: next_step, total_agents: total_steps } = next_baton;
      const parallel_batons = others.map(({ id, stepIndex }) => ({ baton_id: id, step_index: stepIndex }));
      return {
        success: true,
        next_baton,
        next_step,
        total_steps,
        ...(others.length === 0 ? {} : { parallel_batons }),
      };
    }
    case 'waiting':
      return {
        success: true,
        status: 'awaiting_approval',
        message: `Step ${advanced.stepIndex} passed its gates. A person has to let it pass: on the page, or with \`agent-runtime approve ${advanced.pipeline.id}\`.`,
      };
    case 'completed':
      return { success: true, status: 'pipeline_completed', message: 'All steps completed successfully' };
    case 'failed':
      return {
        success: false,
        status: advanced.failure,
        ...scores,
        reason: advanced.reason,
        step_index: advanced.stepIndex,
        retries_left: advanced.retriesLeft,
        next:
          advanced.retriesLeft > 0
            ? `Call retry_relay_step with step_index ${advanced.stepIndex}; its prompt will contain the reason.`
            : waysOnWithoutRetries(advanced.stepIndex),
      };
  }
}

/** A step's agent. */
export const relayAgentOutput = z.strictObject({
  agent_id: z.string(),
  agent_type: z.string(),
  task_template: z.string(),
  expected_output_type: z.string(),
  max_tokens: z.int(),
  quality_threshold: z.number(),
  fallback_agent: z.string().nullable(),
  capabilities: z.array(z.string()),
  l_score_threshold: z.number().optional(),
  derivation_method: z.string().optional(),
  instructions: z.string().optional(),
  model: z.string().optional(),
  output_schema: z.record(z.string(), z.unknown()).optional(),
  /** It works beside the one before it. */
  parallel: mark,
  /** A person has to let it pass. */
  approval: mark,
});

/** One attempt of a step. */
export const relayResultOutput = z.strictObject({
  id: z.int(),
  pipeline_id: z.string(),
  step_index: z.int(),
  agent_id: z.string(),
  status: z.enum(['passed', 'failed']),
  output_key: z.string().nullable(),
  output_entity_id: z.int().nullable(),
  quality_score: z.number(),
  l_score: z.number(),
  tokens_used: z.int(),
  execution_time_ms: z.int(),
  error_message: z.string().nullable(),
  created_at: z.string(),
  /** False for failed attempts, and for results that a restart has set aside. */
  counts: z.boolean(),
  output_summary: z.string().optional(),
  output: z.unknown().optional(),
});

const holderOutput = z.strictObject({
  baton_id: z.string(),
  step_index: z.int(),
  agent_id: z.string(),
  /** As of get_relay_baton, or awaiting_approval. */
  status: z.string(),
  retry_count: z.int(),
});

/** A relay in full. Times are ISO 8601 in UTC. */
export const pipelineOutput = z.strictObject({
  success: z.boolean(),
  pipeline_id: z.string(),
  name: z.string(),
  description: z.string(),
  goal: z.string(),
  status: z.enum(pipelineStatuses),
  /** 0-based. */
  current_step: z.int(),
  total_steps: z.int(),
  total_token_budget: z.int(),
  tokens_used: z.int(),
  ...moneyFields,
  remaining_budget: z.int(),
  initial_entity_id: z.int().nullable(),
  final_entity_id: z.int().nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  agents: z.array(relayAgentOutput),
  quality_scores: z.array(z.number()),
  l_scores: z.array(z.number()),
  results: z.array(relayResultOutput),
  /** Earlier attempts that are not shown; fields "full" shows all. */
  results_left_out: z.int().optional(),
  progress_percent: z.number(),
  average_quality: z.number().nullable(),
  average_l_score: z.number().nullable(),
  baton: holderOutput.optional(),
  /** All of them, while steps work beside each other. */
  batons: z.array(holderOutput).optional(),
  run: z
    .strictObject({
      run_id: z.string(),
      job_id: z.string().optional(),
      running: z.boolean(),
      doing: z.string().optional(),
    })
    .optional(),
  error: jobErrorOutput.optional(),
});

/** @internal */
export function showHolders(batons: PipelineDetail['batons']) {
  const shown = batons.map(showHolder);
  return { baton: shown[0], batons: shown.length > 1 ? shown : undefined };
}

const showHolder = (baton: PipelineDetail['batons'][number]): z.infer<typeof holderOutput> => ({
  baton_id: baton.id,
  step_index: baton.stepIndex,
  agent_id: baton.document.agent_id ?? '',
  status: baton.approvalAskedAt === null ? baton.status : 'awaiting_approval',
  retry_count: baton.retryCount,
});

/** @internal */
export function errorOf(
  { errorCode: code, errorMessage }: PipelineDetail['pipeline'],
  most = Number.POSITIVE_INFINITY,
) {
  return code === null ? undefined : { code, message: cut(errorMessage ?? '', most) };
}

/** @internal */
export function showPipeline(detail: PipelineDetail): z.infer<typeof pipelineOutput> {
  const { pipeline, batons, run } = detail;
  return {
    success: true,
    pipeline_id: pipeline.id,
    name: pipeline.name,
    description: pipeline.description,
    goal: pipeline.goal,
    status: pipeline.status,
    current_step: pipeline.currentStep,
    total_steps: pipeline.totalSteps,
    total_token_budget: pipeline.tokenBudget,
    ...{ tokens_used: detail.tokensUsed, ...showMoney(detail.money, detail.tokensUsed > 0) },
    remaining_budget: detail.remainingTokens,
    initial_entity_id: pipeline.initialEntityId,
    final_entity_id: pipeline.finalEntityId,
    created_at: iso(pipeline.createdAt),
    started_at: iso(pipeline.startedAt),
    completed_at: iso(pipeline.completedAt),
    agents: detail.steps.map(showAgent),
    quality_scores: detail.qualityScores,
    l_scores: detail.lScores,
    results: detail.results.map(showResult),
    progress_percent: detail.progressPercent,
    average_quality: detail.averageQuality,
    average_l_score: detail.averageLScore,
    ...showHolders(batons),
    run: run && { run_id: run.runId, job_id: run.jobId, running: run.isRunning, doing: run.doing },
    error: errorOf(pipeline),
  };
}

function showAgent(step: Step): z.infer<typeof relayAgentOutput> {
  return {
    agent_id: step.agentId,
    agent_type: step.agentType,
    task_template: step.taskTemplate,
    expected_output_type: step.expectedOutputType,
    max_tokens: step.maxTokens,
    quality_threshold: step.qualityThreshold,
    fallback_agent: step.fallbackAgent,
    capabilities: step.capabilities,
    model: step.model ?? undefined,
    l_score_threshold: step.lScoreThreshold,
    derivation_method: step.derivationMethod,
    instructions: step.instructions ?? undefined,
    output_schema: step.outputSchema ?? undefined,
    parallel: whenTrue(step.isParallel),
    approval: whenTrue(step.needsApproval),
  };
}

function showResult(result: StepResult): z.infer<typeof relayResultOutput> {
  return {
    id: result.id,
    pipeline_id: result.pipelineId,
    step_index: result.stepIndex,
    agent_id: result.agentId,
    status: result.status,
    output_key: result.outputKey,
    output_entity_id: result.outputEntityId,
    quality_score: result.qualityScore,
    l_score: result.lScore,
    tokens_used: result.tokensUsed,
    execution_time_ms: result.executionTimeMs,
    error_message: result.errorMessage,
    created_at: iso(result.createdAt),
    counts: result.isCurrent,
    output_summary: result.outputSummary ?? undefined,
    output: result.output,
  };
}

export type ShownPipeline = z.infer<typeof pipelineOutput>;

/** A relay in a list. */
export const briefPipelineOutput = z.strictObject({
  pipeline_id: z.string(),
  name: z.string(),
  goal: z.string(),
  status: z.string(),
  current_step: z.int(),
  total_steps: z.int(),
  tokens_used: z.int(),
  created_at: z.string(),
  completed_at: z.string().nullable(),
  progress_percent: z.number(),
});

export type ShownBriefPipeline = z.infer<typeof briefPipelineOutput>;

export function showPipelineBriefly(pipeline: ListedPipeline, longestName: number): ShownBriefPipeline {
  return {
    pipeline_id: pipeline.id,
    name: cut(pipeline.name, longestName),
    goal: cut(pipeline.goal, 80),
    status: pipeline.status,
    current_step: pipeline.currentStep,
    total_steps: pipeline.totalSteps,
    tokens_used: pipeline.tokensUsed,
    created_at: iso(pipeline.createdAt),
    completed_at: iso(pipeline.completedAt),
    progress_percent: pipeline.progressPercent,
  };
}
