import { RuntimeError, reportError } from '../../base/errors.js';
import { cancelledOutput, jobListOutput } from '../../tools/jobs.js';
import { jobStatusOutput } from '../../tools/shapes/job.js';
import type { GlobalFlags } from '../global-flags.js';
import { commandName } from '../launch.js';
import { type Output, printable } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { callFor, jobTool } from './job-tool.js';

export async function runCancel(id: string, flags: GlobalFlags, output: Output): Promise<void> {
  const job = await withCaller(settingOf(flags), flags, output, (caller) =>
    callFor(caller, 'cancel_job', { job_id: id }, cancelledOutput),
  );
  if (flags.isJson) output.printJson(job);
  else output.print(job.cancelled ? `Job cancelled: ${id}` : `Job ${job.status}: ${id}`);
}

export interface RetryOptions {
  jobId?: string;
  /** Only dead letters: the one named, or all of them. */
  dead?: boolean;
}

/** Runs a job again that has failed, was cancelled or is dead; or every dead one. */
export async function runRetry({ jobId, dead }: RetryOptions, flags: GlobalFlags, output: Output): Promise<void> {
  if (jobId === undefined && !dead) {
    throw new RuntimeError('invalid', 'No job is named.', 'Give --job-id ID, or --dead for all dead letters.');
  }
  const setting = settingOf(flags);
  jobTool('retry_task', setting.config);
  await withCaller(setting, flags, output, async (caller) => {
    if (jobId === undefined) return retryDead(caller, flags, output);
    if (dead) await refuseUnlessDead(jobId, caller);
    const { task_id, status } = await retry(jobId, caller);
    if (flags.isJson) output.printJson({ job_id: task_id, status });
    else output.print(`Job queued again: ${task_id}`);
  });
}

function retry(id: string, caller: Caller) {
  return callFor(caller, 'retry_task', { task_id: id }, jobStatusOutput);
}

async function refuseUnlessDead(id: string, { runtime }: Caller): Promise<void> {
  const { isDead, status } = await runtime.jobs.get(id);
  if (isDead) return;
  throw new RuntimeError(
    'conflict',
    `Job ${id} is ${status}, and no dead letter.`,
    `\`${commandName} list-jobs --dead\` lists those there are; without --dead any failed or cancelled job is retried.`,
  );
}

/** One that cannot be retried does not keep the others from it. */
async function retryDead(caller: Caller, flags: GlobalFlags, output: Output): Promise<void> {
  const retried: string[] = [];
  const refused: { job_id: string; reason: string }[] = [];
  for (const job_id of await deadLetters(caller)) {
    try {
      await retry(job_id, caller);
      retried.push(job_id);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      refused.push({ job_id, reason: reportError(error).message });
    }
  }
  if (refused.length > 0) process.exitCode ||= 1;
  if (flags.isJson) {
    output.printJson({ retried, refused });
    return;
  }
  for (const id of retried) output.print(`Job queued again: ${id}`);
  for (const { job_id, reason } of refused) output.say(`Not retried: ${job_id}. ${printable(reason)}`);
  if (retried.length + refused.length === 0) output.print('No dead letters found');
}

/** All of them before the first is retried, oldest first, so that none is met twice and old work comes first. */
async function deadLetters(caller: Caller): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const filter = { dead: true, scope: 'all', limit: 200, cursor };
    const page = await callFor(caller, 'list_jobs', filter, jobListOutput);
    ids.unshift(...page.jobs.map((job) => job.job_id).reverse());
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return ids;
}
