import { cancelledOutput } from '../../tools/jobs.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { callFor } from './job-tool.js';

export async function runCancel(id: string, flags: GlobalFlags, output: Output): Promise<void> {
  const job = await withCaller(settingOf(flags), flags, output, (caller) =>
    callFor(caller, 'cancel_job', { job_id: id }, cancelledOutput),
  );
  if (flags.isJson) output.printJson(job);
  else output.print(job.cancelled ? `Job cancelled: ${id}` : `Job ${job.status}: ${id}`);
}
