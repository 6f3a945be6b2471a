import type { Sql } from '../../store/sql.js';
import { stageOf } from './stage.js';
import { currentResultsBefore, type Step, type StepResult } from './step.js';

export interface StepInput {
  /** The attempts that count of all stages before, by step. */
  earlier: StepResult[];
  /** Those of the stage before: one, unless steps have worked beside each other. */
  input: StepResult[];
}

export async function readInput(sql: Sql, { pipelineId, stepIndex }: Step): Promise<StepInput> {
  const { first } = await stageOf(sql, pipelineId, stepIndex);
  const earlier = await currentResultsBefore(sql, pipelineId, first);
  const last = earlier.at(-1);
  if (!last) return { earlier, input: [] };
  const before = await stageOf(sql, pipelineId, last.stepIndex);
  return { earlier, input: earlier.filter(({ stepIndex }) => stepIndex >= before.first) };
}

/** A text of several results says which step each part is of. */
export function textOfInput(input: readonly StepResult[], textOf: (result: StepResult) => string): string {
  if (input.length < 2) return input.map(textOf).join('');
  return input.map((result) => `Step ${result.stepIndex + 1}, ${result.agentId}:\n${textOf(result)}`).join('\n\n');
}
