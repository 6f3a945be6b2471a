import { resolve } from 'node:path';
import { RuntimeError } from '../../base/errors.js';
import { hasEnded, type Job } from '../../core/jobs/job.js';
import type { Runtime } from '../../runtime.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { readSettingOf, withRuntime } from '../with-runtime.js';
import { writeWhole } from '../write-whole.js';
import { type NamedJob, requireJob, wholeJobId } from './named-job.js';

/**
 * Prints a completed job's result, or writes it to a file: the text of a background task, the JSON of any other job.
 * Throws `conflict` for a job that has not ended, and `unavailable` or `cancelled` for one that ended without a result.
 */
export async function runResult(
  { file, ...named }: NamedJob & { file: string | undefined },
  { flags, output }: CommandContext,
): Promise<void> {
  const given = requireJob(named);
  const { job, text } = await withRuntime(readSettingOf(flags), async (runtime) => {
    const found = await runtime.jobs.get(await wholeJobId(runtime, given));
    requireResult(found);
    const read = await readText(found, runtime);
    if (!runtime.config.isReadOnly) await runtime.jobs.markRead(found.id);
    return { job: found, text: read };
  });
  if (file !== undefined) {
    const path = resolve(file);
    const content = `${text}\n`;
    writeWhole(path, content);
    const size_bytes = Buffer.byteLength(content);
    if (flags.isJson) output.printJson({ job_id: job.id, path, size_bytes });
    else output.print(`Result written: ${path} (${size_bytes} bytes)`);
  } else if (flags.isJson) output.printJson(job.type === 'llm' ? { job_id: job.id, result: text } : job.result);
  else output.quote(text);
}

function requireResult({ id, status, errorCode, errorMessage }: Job): void {
  if (status === 'completed') return;
  if (!hasEnded(status)) {
    const hint = `\`${commandName} wait ${id}\` waits for it.`;
    throw new RuntimeError('conflict', `Job ${id} is ${status} and has no result yet.`, hint);
  }
  throw new RuntimeError(
    status === 'cancelled' ? 'cancelled' : 'unavailable',
    `Job ${id} has no result: it ${status === 'cancelled' ? 'was cancelled' : 'failed'}. ${errorCode}: ${errorMessage}`,
    `\`${commandName} retry ${id}\` runs it again; ` +
      `\`${commandName} tool get_task_result --arg task_id=${id}\` shows the output that it had written.`,
  );
}

async function readText(job: Job, { jobs }: Runtime): Promise<string> {
  return job.type === 'llm' ? jobs.output(job.id) : JSON.stringify(job.result, null, 2);
}
