import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { type BatonRow, isOpenBaton } from './baton.js';
import { admitWaiting } from './hand-over.js';
import { type HeldBaton, readHeldBaton } from './read-pipeline.js';
import { findBaton, findPipeline, findStep } from './relay-rows.js';

export type Taken = { held: HeldBaton } | { refusal: string; retryAfterMs: number | undefined };

/**
 * The baton of a job that begins, with all that its agent needs; or why nobody may work on it now. Throws `conflict` when
 * the job has lost it.
 */
export async function takeBaton(sql: Sql, batonId: string, jobId: string, change: Change): Promise<Taken> {
  const baton = await sql.get<BatonRow>(
    `select * from relay_batons where id = ? and job_id = ? and ${isOpenBaton}`,
    batonId,
    jobId,
  );
  if (!baton) throw await lostBaton(sql, batonId, jobId);
  const step = await findStep(sql, baton.pipeline_id, baton.step_index);
  const admitted = await admitWaiting(sql, baton, step, change);
  if ('refusal' in admitted) return admitted;
  await sql.run("update relay_batons set status = 'in_progress' where id = ?", batonId);
  const pipeline = await findPipeline(sql, baton.pipeline_id);
  return { held: await readHeldBaton(sql, pipeline, admitted.baton, step) };
}

export async function lostBaton(sql: Sql, batonId: string, jobId: string): Promise<RuntimeError> {
  const baton = await findBaton(sql, batonId);
  const pipeline = baton && (await findPipeline(sql, baton.pipeline_id));
  return new RuntimeError(
    'conflict',
    pipeline
      ? `Job ${jobId} has no baton of relay ${pipeline.id} any more: the relay is ${pipeline.status}, its baton ${batonId} is ${baton.status}.`
      : `There is no baton ${batonId} any more.`,
    pipeline ? `Call run_relay with ${pipeline.id} to have it worked on from where it stands.` : undefined,
  );
}
