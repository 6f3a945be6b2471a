import { jobOutput } from '../../tools/jobs.js';
import type { Caller } from '../tool/with-caller.js';
import { callFor } from './job-tool.js';
import type { JobStatusOutput } from './show-status.js';

/** A job as get_job_status shows it, but with its result whole: a program has no context that it would fill. */
export async function readStatus(id: string, caller: Caller): Promise<JobStatusOutput> {
  const { result_cut, ...job } = await callFor(caller, 'get_job_status', { job_id: id }, jobOutput);
  return result_cut === undefined ? job : { ...job, result: (await caller.runtime.jobs.get(id)).result };
}
