import { RuntimeError } from '../../base/errors.js';
import { completeId } from '../../core/overview/complete-id.js';
import type { Runtime } from '../../runtime.js';

/** A job as a command line names it: by a word after the command, or by the option of the earlier job server. */
export interface NamedJob {
  id: string | undefined;
  jobId: string | undefined;
}

/** The id or the beginning of one that was given, if any. Throws `invalid` for two different ones. */
export function givenJob({ id, jobId }: NamedJob): string | undefined {
  if (id === undefined || jobId === undefined || id === jobId) return id ?? jobId;
  throw new RuntimeError(
    'invalid',
    `Two jobs are named: ${id} and ${jobId}.`,
    'Give one id, with or without --job-id.',
  );
}

/** As `givenJob`, for a command that needs a job. Throws `invalid` if none is named. */
export function requireJob(named: NamedJob): string {
  const given = givenJob(named);
  if (given !== undefined) return given;
  throw new RuntimeError(
    'invalid',
    'No job is named.',
    'Give its id, or the beginning of it; `agent-runtime list-jobs` shows them.',
  );
}

/** The whole id of the job that is meant. Throws as `completeId` does. */
export function wholeJobId({ db }: Pick<Runtime, 'db'>, given: string): Promise<string> {
  return completeId(db, 'job', given);
}
