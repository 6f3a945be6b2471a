import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { PipelineDetail } from '../../core/relay/relays.js';
import type { StepResult } from '../../core/relay/step.js';
import { iso, whenTrue } from '../call/fields.js';
import { showMoney } from './cost.js';
import { errorOf, pipelineOutput, relayAgentOutput, relayResultOutput, showHolders } from './relay.js';

/** A relay as far as its reader has to know to go on. */
export const pipelineStatusOutput = pipelineOutput
  .partial({
    description: true,
    initial_entity_id: true,
    final_entity_id: true,
    started_at: true,
    completed_at: true,
  })
  .extend({
    /** The first twelve, without what they are told. */
    agents: z.array(relayAgentOutput.pick({ agent_type: true, parallel: true })),
    agents_left_out: z.int().optional(),
    results: z.array(
      relayResultOutput.partial({
        id: true,
        pipeline_id: true,
        output_key: true,
        output_entity_id: true,
        execution_time_ms: true,
        error_message: true,
        created_at: true,
        counts: true,
      }),
    ),
  });

const mostAgents = 12;
/** Characters of a relay that is not asked for in full. */
const briefSize = 1_450;

/** @internal */
export function showPipelineStatus(detail: PipelineDetail): z.infer<typeof pipelineStatusOutput> {
  const { pipeline, batons, run } = detail;
  const brief = {
    success: true,
    pipeline_id: pipeline.id,
    name: cut(pipeline.name, 60),
    goal: cut(pipeline.goal, 120),
    status: pipeline.status,
    current_step: pipeline.currentStep,
    total_steps: pipeline.totalSteps,
    progress_percent: detail.progressPercent,
    total_token_budget: pipeline.tokenBudget,
    tokens_used: detail.tokensUsed,
    ...showMoney(detail.money, detail.tokensUsed > 0),
    remaining_budget: detail.remainingTokens,
    quality_scores: detail.qualityScores,
    l_scores: detail.lScores,
    average_quality: detail.averageQuality,
    average_l_score: detail.averageLScore,
    final_entity_id: pipeline.finalEntityId ?? undefined,
    created_at: iso(pipeline.createdAt),
    completed_at: iso(pipeline.completedAt) ?? undefined,
    agents: detail.steps
      .slice(0, mostAgents)
      .map(({ agentType, isParallel }) => ({ agent_type: agentType, parallel: whenTrue(isParallel) })),
    agents_left_out: detail.steps.length > mostAgents ? detail.steps.length - mostAgents : undefined,
    ...showHolders(batons),
    run: run && {
      run_id: run.runId,
      job_id: run.jobId,
      running: run.isRunning,
      doing: run.doing && cut(run.doing, 120),
    },
    error: errorOf(pipeline, 200),
  };
  const results = detail.results.map(showResultBriefly);
  const shown = newestThatFit(results, briefSize - JSON.stringify(brief).length);
  const left = results.length - shown.length;
  return { ...brief, results: shown, results_left_out: left > 0 ? left : undefined };
}

function showResultBriefly(result: StepResult) {
  return {
    step_index: result.stepIndex,
    agent_id: result.agentId,
    status: result.status,
    quality_score: result.qualityScore,
    l_score: result.lScore,
    tokens_used: result.tokensUsed,
    error_message: result.errorMessage === null ? undefined : cut(result.errorMessage, 120),
    // Failed attempts never count; a passed one that a restart has set aside does not either.
    counts: result.status === 'passed' && !result.isCurrent ? false : undefined,
    output_summary: result.outputSummary === null ? undefined : cut(result.outputSummary, 80),
  };
}

function newestThatFit<Item>(items: readonly Item[], size: number): Item[] {
  let left = size;
  const first = items.findLastIndex((item) => {
    left -= JSON.stringify(item).length + 1;
    return left < 0;
  });
  return items.slice(first + 1);
}
