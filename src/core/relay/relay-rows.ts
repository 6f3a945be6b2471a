import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { type BatonRow, isOpenBaton } from './baton.js';
import type { PipelineRow, ResultRow, StepRow } from './pipeline.js';

/** Throws `not_found`. */
export async function findPipeline(sql: Sql, id: string): Promise<PipelineRow> {
  const row = await sql.get<PipelineRow>('select * from relay_pipelines where id = ?', id);
  if (row) return row;
  throw new RuntimeError(
    'not_found',
    `Pipeline ${id} not found`,
    'Call list_relay_pipelines, with scope all if need be, to see the ids there are.',
  );
}

export async function findStep(sql: Sql, pipelineId: string, stepIndex: number): Promise<StepRow> {
  const row = await sql.get<StepRow>(
    'select * from relay_steps where pipeline_id = ? and step_index = ?',
    pipelineId,
    stepIndex,
  );
  if (row) return row;
  // Only a pipeline that was taken over from an earlier server, whose list of agents could not be read.
  throw new RuntimeError(
    'invalid',
    `Pipeline ${pipelineId} has no step ${stepIndex}.`,
    'Create it anew with create_relay_pipeline.',
  );
}

export const listSteps = (sql: Sql, pipelineId: string): Promise<StepRow[]> =>
  sql.all<StepRow>('select * from relay_steps where pipeline_id = ? order by step_index', pipelineId);

/** The one baton that somebody may have now. */
export const findOpenBaton = (sql: Sql, pipelineId: string): Promise<BatonRow | undefined> =>
  sql.get<BatonRow>(`select * from relay_batons where pipeline_id = ? and ${isOpenBaton}`, pipelineId);

export const findBaton = (sql: Sql, id: string): Promise<BatonRow | undefined> =>
  sql.get<BatonRow>('select * from relay_batons where id = ?', id);

export const newestBatonOf = (sql: Sql, pipelineId: string, stepIndex: number): Promise<BatonRow | undefined> =>
  sql.get<BatonRow>(
    `select * from relay_batons where pipeline_id = ? and step_index = ?
     order by attempt desc, created_at desc limit 1`,
    pipelineId,
    stepIndex,
  );

/** Every attempt that has ended, oldest first. */
export const listResults = (sql: Sql, pipelineId: string): Promise<ResultRow[]> =>
  sql.all<ResultRow>('select * from relay_results where pipeline_id = ? order by id', pipelineId);

/** The attempts that count, by step. */
export const currentResults = (sql: Sql, pipelineId: string): Promise<ResultRow[]> =>
  sql.all<ResultRow>(
    'select * from relay_results where pipeline_id = ? and is_current = 1 order by step_index, id',
    pipelineId,
  );
