import type { EpochMs } from '../../base/clock.js';
import { newJobId } from '../../base/ids.js';
import { type JsonObject, readJson } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import { recordedName } from '../actor.js';
import type { Change } from '../change.js';
import { type JobRow, runGoal } from './job.js';
import { laneOf } from './lane.js';
import { defaultTimeoutSeconds } from './submit-job.js';

/** The payload of a run's job. */
export interface RunPayload {
  goal_id: number;
  model: string;
  /** How many tasks of the goal may run at once. */
  concurrency: number;
  /** False where answers are not judged by the acceptance criteria of their tasks. */
  verify?: boolean;
  /** A directory of the repository of which each task gets a worktree. */
  worktrees_of?: string;
  /** While true, it starts no more tasks. */
  paused?: boolean;
}

export interface RunToInsert {
  payload: RunPayload;
  /** The provider that runners of its jobs must have. */
  requires: string;
  tokenBudget: number | undefined;
  warnings: readonly string[];
  project: string;
}

/** Inserts the job of a run. It is `running` from the start, as no runner claims it. */
export function insertRun(
  sql: Sql,
  { payload, requires, tokenBudget, warnings, project }: RunToInsert,
  { at, actor }: Change,
): Promise<JobRow> {
  return insertRow<JobRow>(sql, 'jobs', {
    id: newJobId(),
    type: runGoal,
    status: 'running',
    payload: JSON.stringify(payload),
    requires,
    // That of its jobs, so that a runner of the lane waits for its held tasks.
    lane: laneOf('llm', requires),
    run_at: at,
    // The timeout of each of its jobs; the run itself has none.
    timeout_seconds: defaultTimeoutSeconds,
    attempt: 1,
    max_attempts: 1,
    tries: 1,
    token_budget: tokenBudget ?? null,
    requested_model: payload.model,
    warnings: JSON.stringify(warnings),
    goal_id: payload.goal_id,
    project,
    submitted_by: recordedName(actor),
    created_at: at,
    updated_at: at,
    started_at: at,
  });
}

/** The running run of a goal; the table allows one at a time. */
export function findLiveRun(sql: Sql, goalId: number): Promise<JobRow | undefined> {
  return sql.get<JobRow>(`select * from jobs where goal_id = ? and type = '${runGoal}' and status = 'running'`, goalId);
}

/** All running runs. */
export function listLiveRuns(sql: Sql): Promise<JobRow[]> {
  return sql.all<JobRow>(`select * from jobs where type = '${runGoal}' and status = 'running'`);
}

/** Reads a run again; undefined once it has ended. */
export function reloadLiveRun(sql: Sql, run: JobRow): Promise<JobRow | undefined> {
  return sql.get<JobRow>("select * from jobs where seq = ? and status = 'running'", run.seq);
}

export const isPaused = (run: Pick<JobRow, 'payload'>): boolean => readJson<RunPayload>(run.payload).paused === true;

/** Pauses a run or lets it go on. The caller advances it. */
export async function setPaused(sql: Sql, run: JobRow, paused: boolean, at: EpochMs): Promise<void> {
  const { paused: _, ...payload } = readJson<RunPayload>(run.payload);
  const next: RunPayload = paused ? { ...payload, paused } : payload;
  await sql.run('update jobs set payload = ?, updated_at = ? where seq = ?', JSON.stringify(next), at, run.seq);
}

/** Counts the pending and running jobs of a run. */
export async function countOpenJobs(sql: Sql, runId: string): Promise<number> {
  const row = await sql.get<{ count: number }>(
    "select count(*) as count from jobs where parent_id = ? and status in ('pending', 'running')",
    runId,
  );
  return row?.count ?? 0;
}

/** Writes the progress of a run, as a fraction from 0 to 1 and in words. Writes nothing while the words stay the same. */
export async function moveRunProgress(
  sql: Sql,
  run: JobRow,
  fraction: number,
  message: string,
  at: EpochMs,
): Promise<void> {
  await sql.run(
    'update jobs set progress = ?, progress_message = ?, updated_at = ? where seq = ? and progress_message is distinct from ?',
    fraction,
    message,
    at,
    run.seq,
    message,
  );
}

/** Sums the tokens that the jobs of a run have used so far, and stores the sums on the run. */
export async function addUpRunTokens(sql: Sql, run: JobRow): Promise<{ input: number; output: number }> {
  const used = await sql.get<{ input: number; output: number; micros: number; unpriced: number }>(
    `select coalesce(sum(input_tokens), 0) as input, coalesce(sum(output_tokens), 0) as output,
       coalesce(sum(cost_micros), 0) as micros, coalesce(sum(unpriced_calls), 0) as unpriced
     from jobs where parent_id = ?`,
    run.id,
  );
  const { input, output, micros, unpriced } = used ?? { input: 0, output: 0, micros: 0, unpriced: 0 };
  await sql.run(
    'update jobs set input_tokens = ?, output_tokens = ?, cost_micros = ?, unpriced_calls = ? where seq = ?',
    ...[input, output, micros, unpriced, run.seq],
  );
  return { input, output };
}

/** The end of a run; `code` and `message` are null when it completed. */
export interface RunEnd {
  status: 'completed' | 'failed' | 'cancelled';
  code: string | null;
  message: string | null;
}

/** Writes the end of a run into its row. The caller records the event and calls `notifyDependents`. */
export async function writeRunEnd(
  sql: Sql,
  run: JobRow,
  { status, code, message }: RunEnd,
  at: EpochMs,
): Promise<void> {
  await sql.run(
    `update jobs set status = ?, error_code = ?, error_message = ?,
       progress = case when ? = 'completed' then 1 else progress end, completed_at = ?, updated_at = ? where seq = ?`,
    status,
    code,
    message,
    status,
    at,
    at,
    run.seq,
  );
}

/** Stores the summary of an ended run: data as its result, text as its output. */
export async function storeRunSummary(sql: Sql, run: JobRow, summary: JsonObject, text: string): Promise<void> {
  await sql.run('update jobs set result = ?, output = ? where seq = ?', JSON.stringify(summary), text, run.seq);
}
