import { RuntimeError, reportError } from '../../base/errors.js';
import { jobListOutput } from '../../tools/jobs.js';
import { cancelledOutput } from '../../tools/shapes/comparison.js';
import { jobStatusOutput } from '../../tools/shapes/job.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { printable } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { callFor, jobTool } from './job-tool.js';
import { givenJob, type NamedJob, requireJob, wholeJobId } from './named-job.js';

export async function runCancel(named: NamedJob, { flags, output }: CommandContext): Promise<void> {
  const given = requireJob(named);
  const { id, job } = await withCaller(settingOf(flags), flags, output, async (caller) => {
    const whole = await wholeJobId(caller.runtime, given);
    return { id: whole, job: await callFor(caller, 'cancel_job', { job_id: whole }, cancelledOutput) };
  });
  if (flags.isJson) output.printJson(job);
  else output.print(job.cancelled ? `Job cancelled: ${id}` : `Job ${job.status}: ${id}`);
}

export interface RetryOptions extends NamedJob {
  /** Only dead letters: the named one, or all of them. */
  isDead: boolean;
}

/** Runs a failed, cancelled or dead job again, or every dead one. */
export async function runRetry({ isDead, ...named }: RetryOptions, context: CommandContext): Promise<void> {
  const { flags, output } = context;
  const given = givenJob(named);
  if (given === undefined && !isDead) {
    throw new RuntimeError('invalid', 'No job is named.', 'Give its id, or --dead for all dead letters.');
  }
  const setting = settingOf(flags);
  jobTool('retry_task', setting.config);
  await withCaller(setting, flags, output, async (caller) => {
    if (given === undefined) return retryDead(caller, context);
    const jobId = await wholeJobId(caller.runtime, given);
    if (isDead) await requireDead(jobId, caller);
    const { task_id, status } = await retry(jobId, caller);
    if (flags.isJson) output.printJson({ job_id: task_id, status });
    else output.print(`Job queued again: ${task_id}`);
  });
}

function retry(id: string, caller: Caller) {
  return callFor(caller, 'retry_task', { task_id: id }, jobStatusOutput);
}

async function requireDead(id: string, { runtime }: Caller): Promise<void> {
  const { isDead, status } = await runtime.jobs.get(id);
  if (isDead) return;
  throw new RuntimeError(
    'conflict',
    `Job ${id} is ${status}, but it is not a dead letter.`,
    `\`${commandName} list-jobs --dead\` lists the dead letters; without --dead any failed or cancelled job is retried.`,
  );
}

/** Retries every dead letter. One that cannot be retried does not stop the others. */
async function retryDead(caller: Caller, { flags, output }: CommandContext): Promise<void> {
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

/**
 * The ids of all dead letters, oldest first, so that old work is retried first. They are read before the first retry, so
 * that no page of the list shifts.
 */
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
