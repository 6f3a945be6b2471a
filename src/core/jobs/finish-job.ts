import { type Backoff, retryDelayMs } from '../../base/backoff.js';
import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { estimateTokens, settleLost } from '../budget/ledger.js';
import { recordEvent } from '../events/events.js';
import type { Change } from '../tasks/dependencies.js';
import { settleBoardTask } from './board-task.js';
import type { JobRow } from './job.js';

/** How an attempt ended. What it spent is kept whatever came of it. */
export type Outcome = Spending &
  (
    | { kind: 'completed'; result: Json }
    | { kind: 'failed'; code: string; message: string; isTransient: boolean; retryAfterMs?: number | undefined }
    | { kind: 'cancelled'; message?: string | undefined }
    /** Nothing was tried, because something it needs is not to be had before `retryAfterMs`; costs no try. */
    | { kind: 'postponed'; message: string; retryAfterMs: number }
    /** Its runner vanished without a word. */
    | { kind: 'lost'; message: string }
  );

export interface Spending {
  output?: string | undefined;
  model?: string | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  warnings?: readonly string[] | undefined;
}

/** An attempt that a runner may write to: of this job, as long as this token is the current one. */
export interface AttemptKey {
  jobId: string;
  token: string;
}

/** Work of a job type that belongs in the transaction which completes the job, so that it happens exactly once. */
export type JobEffect = (sql: Sql, job: JobRow, result: Json, change: Change) => Promise<void>;

export interface FinishRules {
  effects: ReadonlyMap<string, JobEffect>;
  backoff: Backoff;
  random: () => number;
}

/** After this many runners that vanished under it, a job is dead: it would only take down more. */
const deadlyCrashes = 3;

/**
 * Writes what became of an attempt: the job ends, or goes back into the queue for another try.
 * Resolves to the row as it is then, or to nothing when another attempt has superseded this one.
 */
export async function finishAttempt(
  sql: Sql,
  { jobId, token }: AttemptKey,
  outcome: Outcome,
  rules: FinishRules,
  at: number,
): Promise<JobRow | undefined> {
  const row = await sql.get<JobRow>(
    "select * from jobs where id = ? and attempt_token = ? and status = 'running'",
    jobId,
    token,
  );
  if (!row) return undefined;
  const change: Change = { at };
  await closeAttempt(sql, row, outcome, at);
  const output = await keepOutput(sql, row, outcome, at);
  if (outcome.kind === 'lost') await settleLost(sql, callOf(row), estimateTokens(output.length), at);

  const decided = row.cancel_requested_at !== null && outcome.kind !== 'completed' ? cancelledBy(outcome) : outcome;
  const delay = retryDelay(row, decided, rules);
  if (delay !== undefined) await requeue(sql, row, decided, at + delay, change);
  else await end(sql, row, decided, rules, change);
  return sql.get<JobRow>('select * from jobs where id = ?', jobId);
}

function cancelledBy({ kind: _, ...spending }: Outcome): Outcome {
  return { ...spending, kind: 'cancelled' };
}

async function closeAttempt(sql: Sql, row: JobRow, outcome: Outcome, at: number): Promise<void> {
  const problem = problemOf(outcome);
  await sql.run(
    `update job_attempts set outcome = ?, error_code = ?, error_message = ?, model = ?, input_tokens = ?,
       output_tokens = ?, ended_at = ? where job_id = ? and attempt = ?`,
    outcome.kind,
    problem?.code ?? null,
    problem?.message ?? null,
    outcome.model ?? null,
    outcome.inputTokens ?? 0,
    outcome.outputTokens ?? 0,
    at,
    row.id,
    row.attempt,
  );
}

function problemOf(outcome: Outcome): { code: string; message: string } | undefined {
  switch (outcome.kind) {
    case 'completed':
      return undefined;
    case 'failed':
      return outcome;
    case 'lost':
      return { code: 'runner_lost', message: outcome.message };
    case 'postponed':
      return { code: 'postponed', message: outcome.message };
    case 'cancelled':
      return { code: 'cancelled', message: outcome.message ?? 'The job was cancelled.' };
  }
}

/** Moves the text from its pieces to the row; a lost attempt leaves what had arrived. */
async function keepOutput(sql: Sql, row: JobRow, outcome: Outcome, at: number): Promise<string> {
  const output = outcome.output ?? (await joinChunks(sql, row.id));
  const warnings = [...(JSON.parse(row.warnings) as string[]), ...(outcome.warnings ?? [])];
  await sql.run(
    `update jobs set output = ?, model = coalesce(?, model), input_tokens = input_tokens + ?,
       output_tokens = output_tokens + ?, warnings = ?, updated_at = ? where seq = ?`,
    output === '' ? null : output,
    outcome.model ?? null,
    outcome.inputTokens ?? 0,
    outcome.outputTokens ?? 0,
    JSON.stringify([...new Set(warnings)]),
    at,
    row.seq,
  );
  await sql.run('delete from job_chunks where job_id = ?', row.id);
  return output;
}

/** The name under which an attempt reserves tokens. */
export const callOf = (job: { id: string; attempt: number }): string => `job:${job.id}:${job.attempt}`;

export async function joinChunks(sql: Sql, jobId: string): Promise<string> {
  const chunks = await sql.all<{ text: string }>('select text from job_chunks where job_id = ? order by seq', jobId);
  return chunks.map((chunk) => chunk.text).join('');
}

/** How long until the next try; nothing when there is none. */
function retryDelay(row: JobRow, outcome: Outcome, { backoff, random }: FinishRules): number | undefined {
  if (outcome.kind === 'postponed') return outcome.retryAfterMs;
  if (row.tries >= row.max_attempts) return undefined;
  if (outcome.kind === 'lost') {
    return row.crashes + 1 < deadlyCrashes ? retryDelayMs(backoff, row.crashes, random) : undefined;
  }
  if (outcome.kind !== 'failed' || !outcome.isTransient) return undefined;
  return retryDelayMs(backoff, row.tries, random, outcome.retryAfterMs);
}

async function requeue(sql: Sql, row: JobRow, outcome: Outcome, runAt: number, change: Change): Promise<void> {
  const problem = problemOf(outcome);
  await sql.run(
    `update jobs set status = 'pending', runner_id = null, attempt_token = null, run_at = ?, tries = ?, crashes = ?,
       error_code = ?, error_message = ?, updated_at = ? where seq = ?`,
    runAt,
    outcome.kind === 'postponed' ? row.tries - 1 : row.tries,
    outcome.kind === 'lost' ? row.crashes + 1 : row.crashes,
    problem?.code ?? null,
    problem?.message ?? null,
    change.at,
    row.seq,
  );
  await recordEvent(sql, {
    ...change,
    subject: 'job',
    subjectId: row.id,
    type: outcome.kind === 'postponed' ? 'postponed' : 'retrying',
    data: { attempt: row.attempt, next_at: new Date(runAt).toISOString(), ...problem },
  });
}

async function end(sql: Sql, row: JobRow, outcome: Outcome, rules: FinishRules, change: Change): Promise<void> {
  const status = outcome.kind === 'completed' ? 'completed' : outcome.kind === 'cancelled' ? 'cancelled' : 'failed';
  const problem = problemOf(outcome);
  const isLost = outcome.kind === 'lost';
  await sql.run(
    `update jobs set status = ?, result = ?, error_code = ?, error_message = ?, crashes = ?, is_dead = ?,
       progress = case when ? = 'completed' then 1 else progress end, runner_id = null, attempt_token = null,
       completed_at = ?, updated_at = ? where seq = ?`,
    status,
    outcome.kind === 'completed' ? JSON.stringify(outcome.result) : null,
    problem?.code ?? null,
    problem?.message ?? null,
    row.crashes + Number(isLost),
    Number(isLost),
    status,
    change.at,
    change.at,
    row.seq,
  );
  const ended = await sql.get<JobRow>('select * from jobs where seq = ?', row.seq);
  if (!ended) throw new Error('A row that was just written is gone.');
  if (outcome.kind === 'completed') await rules.effects.get(row.type)?.(sql, ended, outcome.result, change);
  await recordEvent(sql, {
    ...change,
    subject: 'job',
    subjectId: row.id,
    type: isLost ? 'died' : status,
    data: { attempt: row.attempt, type: row.type, ...problem },
  });
  await tellOthers(sql, ended, change);
}

/** What else an ended job decides: its board task, and the jobs that wait for it. */
export async function tellOthers(sql: Sql, job: JobRow, change: Change): Promise<void> {
  await settleBoardTask(sql, job, change);
  if (job.status === 'completed') await satisfyDependents(sql, job.id);
  else await cancelDependents(sql, job, change);
}

async function satisfyDependents(sql: Sql, jobId: string): Promise<void> {
  await sql.run(
    `update jobs set unfinished_dependencies = unfinished_dependencies - 1
     where id in (select job_id from job_dependencies where depends_on = ? and is_satisfied = 0)`,
    jobId,
  );
  await sql.run('update job_dependencies set is_satisfied = 1 where depends_on = ? and is_satisfied = 0', jobId);
}

/** The code of a job that was never tried because one that it depends on did not complete. */
export const dependencyFailed = 'dependency_failed';

async function cancelDependents(sql: Sql, job: JobRow, change: Change): Promise<void> {
  const ended = [job];
  for (let cause = ended.pop(); cause !== undefined; cause = ended.pop()) {
    const dependents = await sql.all<JobRow>(
      `update jobs set status = 'cancelled', error_code = ?, error_message = ?, completed_at = ?, updated_at = ?
       where status = 'pending' and id in (select job_id from job_dependencies where depends_on = ? and is_satisfied = 0)
       returning *`,
      dependencyFailed,
      `Not run, because job ${cause.id} that it depends on was ${cause.status === 'failed' ? 'not completed' : 'cancelled'}.`,
      change.at,
      change.at,
      cause.id,
    );
    for (const dependent of dependents) {
      const data = { because_of: cause.id };
      await recordEvent(sql, { ...change, subject: 'job', subjectId: dependent.id, type: 'cancelled', data });
      await settleBoardTask(sql, dependent, change);
      ended.push(dependent);
    }
  }
}
