import { z } from 'zod';
import { readJson } from '../../base/json.js';
import { cut } from '../../base/text.js';
import { type Baton, toBaton } from '../../core/relay/baton.js';
import type { Advanced } from '../../core/relay/end-step.js';
import { type ResultRow, type StepRow, toOutput } from '../../core/relay/pipeline.js';
import { type ListedPipeline, type PipelineDetail, progressOf } from '../../core/relay/read-pipeline.js';
import { iso } from '../call/fields.js';
import { cutWithCount } from '../call/page.js';

/** The baton with the keys that the relay protocol gives it. */
export const batonOutput = z.object({
  baton_id: z.string(),
  sequence_position: z.int().describe('1-based.'),
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
  agent_id: z.string().optional().describe('Who has it.'),
  agent_type: z.string().optional(),
  handed_over: z.string().optional().describe('Why another agent than the step names has it, or nobody yet.'),
  quality_feedback: z.array(z.string()).optional().describe('What was wrong with the attempts before.'),
});

/** Of a baton in a reply about something else: enough to go on; get_relay_baton has all of it. */
const usualText = 1_000;

export function showBaton(baton: Baton, longestText = usualText): z.input<typeof batonOutput> {
  return {
    ...baton,
    task_description: cut(baton.task_description, longestText),
    input_summary: cut(baton.input_summary, longestText),
    quality_feedback: baton.quality_feedback?.map((reason) => cut(reason, longestText)),
  };
}

export const advancedOutput = z.object({
  success: z.boolean(),
  next_baton: batonOutput.optional(),
  next_step: z.int().optional().describe('1-based, of total_steps.'),
  total_steps: z.int().optional(),
  status: z.string().optional().describe('pipeline_completed, quality_gate_failed or invalid_output.'),
  message: z.string().optional(),
  quality_score: z.number().optional(),
  l_score: z.number().optional(),
  reason: z.string().optional(),
  step_index: z.int().optional().describe('0-based, for retry_relay_step.'),
  retries_left: z.int().optional(),
  next: z.string().optional(),
});

export function showAdvanced(
  advanced: Advanced,
  scores: { quality_score: number; l_score: number },
): z.input<typeof advancedOutput> {
  switch (advanced.kind) {
    case 'passed': {
      const next_baton = showBaton(toBaton(advanced.baton));
      const { sequence_position: next_step, total_agents: total_steps } = next_baton;
      return { success: true, next_baton, next_step, total_steps };
    }
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
            ? `Call retry_relay_step with step_index ${advanced.stepIndex}; the reason stands in its prompt.`
            : 'No retries are left: restart from an earlier step with retry_relay_step, or call run_relay.',
      };
  }
}

const agentOutput = z.object({
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
});

const resultOutput = z.object({
  id: z.int(),
  pipeline_id: z.string(),
  step_index: z.int(),
  agent_id: z.string(),
  status: z.string(),
  output_key: z.string().nullable(),
  output_entity_id: z.int().nullable(),
  quality_score: z.number(),
  l_score: z.number(),
  tokens_used: z.int(),
  execution_time_ms: z.int(),
  error_message: z.string().nullable(),
  created_at: z.string(),
  counts: z.boolean().describe('False of failed attempts and of results that a restart has set aside.'),
  output_summary: z.string().optional(),
  output: z.unknown().optional(),
});

export const pipelineOutput = z.object({
  success: z.boolean(),
  pipeline_id: z.string(),
  name: z.string(),
  description: z.string(),
  goal: z.string(),
  status: z.string(),
  current_step: z.int().describe('0-based.'),
  total_steps: z.int(),
  total_token_budget: z.int(),
  tokens_used: z.int(),
  remaining_budget: z.int(),
  initial_entity_id: z.int().nullable(),
  final_entity_id: z.int().nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  agents: z.array(agentOutput),
  quality_scores: z.array(z.number()),
  l_scores: z.array(z.number()),
  results: z.array(resultOutput),
  results_left_out: z.int().optional().describe('Earlier attempts that are not shown; fields "full" shows all.'),
  progress_percent: z.number(),
  average_quality: z.number().nullable(),
  average_l_score: z.number().nullable(),
  baton: z
    .object({
      baton_id: z.string(),
      step_index: z.int(),
      agent_id: z.string(),
      status: z.string(),
      retry_count: z.int(),
    })
    .optional(),
  run: z
    .object({ run_id: z.string(), job_id: z.string().optional(), running: z.boolean(), doing: z.string().optional() })
    .optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

/** How much of the attempts is shown to someone who did not ask for all. */
const usualResultsSize = 4_000;

export function showPipeline(detail: PipelineDetail, isFull: boolean): z.input<typeof pipelineOutput> {
  const { row, baton, run } = detail;
  const results = detail.results.map((result) => showResult(result, isFull));
  const shown = isFull ? results : newestThatFit(results);
  return {
    success: true,
    pipeline_id: row.id,
    name: row.name,
    description: isFull ? row.description : cutWithCount(row.description, usualText),
    goal: isFull ? row.goal : cutWithCount(row.goal, usualText),
    status: row.status,
    current_step: row.current_step,
    total_steps: row.total_steps,
    total_token_budget: row.token_budget,
    tokens_used: detail.tokensUsed,
    remaining_budget: detail.remainingTokens,
    initial_entity_id: row.initial_entity_id,
    final_entity_id: row.final_entity_id,
    created_at: iso(row.created_at),
    started_at: iso(row.started_at),
    completed_at: iso(row.completed_at),
    agents: detail.steps.map((step) => showAgent(step, isFull)),
    quality_scores: detail.qualityScores,
    l_scores: detail.lScores,
    results: shown,
    results_left_out: shown.length < results.length ? results.length - shown.length : undefined,
    progress_percent: detail.progressPercent,
    average_quality: detail.averageQuality,
    average_l_score: detail.averageLScore,
    baton: baton && {
      baton_id: baton.id,
      step_index: baton.step_index,
      agent_id: toBaton(baton).agent_id ?? '',
      status: baton.status,
      retry_count: baton.retry_count,
    },
    run: run && { run_id: run.runId, job_id: run.jobId, running: run.isRunning, doing: run.doing },
    error: row.error_code === null ? undefined : { code: row.error_code, message: row.error_message ?? '' },
  };
}

function newestThatFit<Item>(items: readonly Item[]): Item[] {
  let left = usualResultsSize;
  const first = items.findLastIndex((item) => {
    left -= JSON.stringify(item).length + 1;
    return left < 0;
  });
  return items.slice(first + 1);
}

function showAgent(step: StepRow, isFull: boolean): z.input<typeof agentOutput> {
  const spec = {
    agent_id: step.agent_id,
    agent_type: step.agent_type,
    task_template: isFull ? step.task_template : cut(step.task_template, 40),
    expected_output_type: step.expected_output_type,
    max_tokens: step.max_tokens,
    quality_threshold: step.quality_threshold,
    fallback_agent: step.fallback_agent,
    capabilities: readJson<string[]>(step.capabilities),
    model: step.model ?? undefined,
  };
  if (!isFull) return spec;
  return {
    ...spec,
    l_score_threshold: step.l_score_threshold,
    derivation_method: step.derivation_method,
    instructions: step.instructions ?? undefined,
    output_schema: step.output_schema === null ? undefined : readJson<Record<string, unknown>>(step.output_schema),
  };
}

function showResult(row: ResultRow, isFull: boolean): z.input<typeof resultOutput> {
  const { output_summary } = row;
  return {
    id: row.id,
    pipeline_id: row.pipeline_id,
    step_index: row.step_index,
    agent_id: row.agent_id,
    status: row.status,
    output_key: row.output_key,
    output_entity_id: row.output_entity_id,
    quality_score: row.quality_score,
    l_score: row.l_score,
    tokens_used: row.tokens_used,
    execution_time_ms: row.execution_time_ms,
    error_message: row.error_message === null || isFull ? row.error_message : cut(row.error_message, 300),
    created_at: iso(row.created_at),
    counts: row.is_current === 1,
    output_summary: output_summary === null ? undefined : isFull ? output_summary : cut(output_summary, 120),
    output: isFull ? toOutput(row) : undefined,
  };
}

export const briefPipelineOutput = z.object({
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

export function showPipelineBriefly(row: ListedPipeline): z.input<typeof briefPipelineOutput> {
  return {
    pipeline_id: row.id,
    name: cut(row.name, 60),
    goal: cut(row.goal, 80),
    status: row.status,
    current_step: row.current_step,
    total_steps: row.total_steps,
    tokens_used: row.tokens_used,
    created_at: iso(row.created_at),
    completed_at: iso(row.completed_at),
    progress_percent: progressOf(row),
  };
}
