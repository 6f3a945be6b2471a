import type { StepRow } from './pipeline.js';

/** Why a step did not pass. */
export type StepFailure = 'quality_gate_failed' | 'invalid_output' | 'budget_exhausted' | 'attempt_failed';

export interface Attempted {
  qualityScore: number;
  lScore: number;
  tokensUsed: number;
  /** What is wrong with the output by the step's schema. */
  problem?: string | undefined;
}

/** The first gate that an attempt does not pass, in words that help the next attempt; nothing when it passes all. */
export function failedGate(
  step: StepRow,
  { qualityScore, lScore, tokensUsed, problem }: Attempted,
  remaining: number,
): { failure: StepFailure; reason: string } | undefined {
  if (tokensUsed > remaining) {
    const reason = `The step used ${tokensUsed} tokens and ${remaining} were left in the relay's budget.`;
    return { failure: 'budget_exhausted', reason };
  }
  if (problem !== undefined) {
    return { failure: 'invalid_output', reason: `The output does not follow the step's schema: ${problem}.` };
  }
  const short = [
    qualityScore < step.quality_threshold ? `quality ${qualityScore} is below ${step.quality_threshold}` : undefined,
    lScore < step.l_score_threshold ? `l-score ${lScore} is below ${step.l_score_threshold}` : undefined,
  ].filter((reason) => reason !== undefined);
  return short.length === 0
    ? undefined
    : { failure: 'quality_gate_failed', reason: `The gate was not passed: ${short.join(', ')}.` };
}
