import type { Sql } from '../../store/sql.js';

/** Steps that work beside each other, each with a baton of its own: `first` to `last`, 0-based. Most have one step. */
export interface Stage {
  first: number;
  last: number;
}

/** The stage that a step belongs to; for a step that there is not, one of its own. */
export async function stageOf(sql: Sql, pipelineId: string, stepIndex: number): Promise<Stage> {
  const steps = await sql.all<{ step_index: number; is_parallel: number }>(
    'select step_index, is_parallel from relay_steps where pipeline_id = ? order by step_index',
    pipelineId,
  );
  const isBeside = (index: number) => steps[index]?.is_parallel === 1;
  let first = stepIndex;
  while (first > 0 && isBeside(first)) first--;
  let last = stepIndex;
  while (isBeside(last + 1)) last++;
  return { first, last };
}

export const stepsOf = ({ first, last }: Stage): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** The steps of a stage without a result that counts, lowest first. */
export async function unpassedSteps(sql: Sql, pipelineId: string, stage: Stage): Promise<number[]> {
  const passed = await sql.all<{ step_index: number }>(
    'select step_index from relay_results where pipeline_id = ? and is_current = 1 and step_index between ? and ?',
    pipelineId,
    stage.first,
    stage.last,
  );
  return stepsOf(stage).filter((index) => !passed.some(({ step_index }) => step_index === index));
}
