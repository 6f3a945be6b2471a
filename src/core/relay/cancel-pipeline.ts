import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { forgetProbe } from './agent-breakers.js';
import type { PipelineRow } from './pipeline.js';
import { findOpenBaton, findPipeline, newestBatonOf } from './relay-rows.js';
import { findStepJob } from './step-job.js';

export interface CancelledPipeline {
  pipeline: PipelineRow;
  /** The job that was working on it: nothing that it brings counts any more, and it should be ended. */
  jobId: string | undefined;
}

/** Ends a relay for good; what its steps have left stays. Throws `conflict` for one that is completed. */
export async function cancelPipeline(sql: Sql, id: string, change: Change): Promise<CancelledPipeline> {
  const pipeline = await findPipeline(sql, id);
  if (pipeline.status === 'completed') {
    throw new RuntimeError('conflict', `Relay ${id} is already completed.`, 'There is nothing left to cancel.');
  }
  const baton = await findOpenBaton(sql, id);
  const last = baton ?? (await newestBatonOf(sql, id, pipeline.current_step));
  const job = last && (await findStepJob(sql, last));
  if (pipeline.status === 'cancelled') return { pipeline, jobId: job?.id };
  if (baton) {
    await sql.run("update relay_batons set status = 'cancelled' where id = ?", baton.id);
    await forgetProbe(sql, baton.id);
  }
  await sql.run(
    "update relay_pipelines set status = 'cancelled', completed_at = ?, updated_at = ? where id = ?",
    change.at,
    change.at,
    id,
  );
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: id, type: 'cancelled' });
  return { pipeline: await findPipeline(sql, id), jobId: job?.id };
}
