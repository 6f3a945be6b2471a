import type { EpochMs } from '../../base/clock.js';
import { type Cost, noCost } from '../../base/money.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import { costAsReserved, estimateTokens, reservationOf, settle } from '../budget/ledger.js';
import type { ModelUsage } from '../ports.js';
import { addTokensUsed } from '../tasks/claim.js';
import type { Verdict } from '../tasks/verdict.js';
import type { JobRow } from './job.js';
import { type AttemptKey, type Outcome, problemOf } from './outcome.js';
import { joinChunks, type LogEntry, type StoredArtifact } from './read-jobs.js';

/** The holder under which an attempt reserves tokens and takes probes of breakers. */
export const callOf = (job: { id: string; attempt: number }): string => `job:${job.id}:${job.attempt}`;

/** A cost with the price that it was counted by; without one it is the provider's own figure. */
export interface BookedCost extends Cost {
  price?: object | undefined;
}

/** Settles a model call of an attempt: the tokens that it used replace those that were reserved for it. */
export async function bookUsage(
  sql: Sql,
  job: { id: string; attempt: number },
  { inputTokens, outputTokens }: ModelUsage,
  at: EpochMs,
  { price, ...cost }: BookedCost = noCost,
): Promise<void> {
  await settle(sql, callOf(job), inputTokens + outputTokens, at, cost);
  await sql.run(
    `update job_attempts set input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
       cost_micros = cost_micros + ?, unpriced_calls = unpriced_calls + ?, price = coalesce(?, price)
     where job_id = ? and attempt = ? and ended_at is null`,
    inputTokens,
    outputTokens,
    cost.micros,
    cost.unpriced,
    price === undefined ? null : JSON.stringify(price),
    job.id,
    job.attempt,
  );
}

/** Stores the verdict on the answer of a running attempt. A superseded attempt writes nothing. */
export async function storeJobVerdict(sql: Sql, job: { id: string; attempt: number }, verdict: Verdict): Promise<void> {
  await sql.run(
    "update jobs set verdict = ? where id = ? and attempt = ? and status = 'running'",
    JSON.stringify(verdict),
    job.id,
    job.attempt,
  );
}

/** Whether the attempt before this one was postponed too: the two are one wait then, and recorded as one event. */
export async function wasPostponed(sql: Sql, { id, attempt }: { id: string; attempt: number }): Promise<boolean> {
  const before = await sql.get(
    "select 1 from job_attempts where job_id = ? and attempt = ? and outcome = 'postponed'",
    id,
    attempt - 1,
  );
  return before !== undefined;
}

/** Characters of the output of an attempt that did not complete, which its job keeps only until the next. */
const longestKept = 200_000;

export interface ClosedAttempt {
  startedAt: EpochMs;
  /** When the last of the job's dependencies completed; null without dependencies. */
  dependenciesDoneAt: EpochMs | null;
  /** What the row of its job gets from it. */
  gains: JobGains;
}

export type JobGains = Pick<
  JobRow,
  'output' | 'model' | 'input_tokens' | 'output_tokens' | 'cost_micros' | 'unpriced_calls' | 'warnings'
>;

/** Writes how an attempt ended into its row. Its output, warnings and tokens are for the row of the job. */
export async function closeAttempt(sql: Sql, row: JobRow, outcome: Outcome, at: EpochMs): Promise<ClosedAttempt> {
  const received = outcome.output ?? (await joinChunks(sql, row.id));
  const used = await settleAttempt(sql, row, outcome, received, at);
  const problem = problemOf(outcome);
  const attempt = await sql.get<Omit<ClosedAttempt, 'gains'>>(
    `update job_attempts set outcome = ?, error_code = ?, error_message = ?, model = ?, input_tokens = ?,
       output_tokens = ?, cost_micros = ?, unpriced_calls = ?, output = ?, ended_at = ? where job_id = ? and attempt = ? returning started_at as "startedAt",
       (select max(j.completed_at) from job_dependencies d join jobs j on j.id = d.depends_on
        where d.job_id = job_attempts.job_id) as "dependenciesDoneAt"`,
    outcome.kind,
    problem?.code ?? null,
    problem?.message ?? null,
    outcome.model ?? null,
    used.inputTokens,
    used.outputTokens,
    used.cost.micros,
    used.cost.unpriced,
    outcome.kind === 'completed' || received === '' ? null : received.slice(0, longestKept),
    at,
    row.id,
    row.attempt,
  );
  if (outcome.kind === 'postponed') await deleteEarlierPostponements(sql, row);
  // An attempt without output keeps the output of an earlier one.
  const output = outcome.kind === 'completed' || received !== '' ? received : (row.output ?? '');
  const warnings = [...(JSON.parse(row.warnings) as string[]), ...(outcome.warnings ?? [])];
  await sql.run('delete from job_chunks where job_id = ?', row.id);
  // The goal's budget has counted these tokens already.
  if (row.task_id !== null) {
    await addTokensUsed(sql, row.task_id, row.task_claim_token, used.inputTokens + used.outputTokens);
  }
  const gains: JobGains = {
    output: output === '' ? null : output,
    model: outcome.model ?? row.model,
    input_tokens: row.input_tokens + used.inputTokens,
    output_tokens: row.output_tokens + used.outputTokens,
    cost_micros: row.cost_micros + used.cost.micros,
    unpriced_calls: row.unpriced_calls + used.cost.unpriced,
    warnings: JSON.stringify([...new Set(warnings)]),
  };
  return { ...(attempt ?? { startedAt: at, dependenciesDoneAt: null }), gains };
}

/** Keeps only the newest of the postponed attempts: there may be a thousand while a breaker is open. */
async function deleteEarlierPostponements(sql: Sql, row: JobRow): Promise<void> {
  await sql.run(
    `delete from job_attempts where job_id = ? and attempt < ? and outcome = 'postponed'
       and input_tokens = 0 and output_tokens = 0`,
    row.id,
    row.attempt,
  );
}

/**
 * Resolves to the tokens that an attempt has used in all, and to their cost. A call that was not settled, because its runner is gone or the
 * disk was full, is settled here: by the runner's report if there is one, else by an estimate from its prompt and the part
 * of the answer that had arrived.
 */
async function settleAttempt(
  sql: Sql,
  row: JobRow,
  outcome: Outcome,
  received: string,
  at: EpochMs,
): Promise<ModelUsage & { cost: Cost }> {
  const booked = (await sql.get<ModelUsage & Cost>(
    `select input_tokens as "inputTokens", output_tokens as "outputTokens", cost_micros as micros,
       unpriced_calls as unpriced from job_attempts
     where job_id = ? and attempt = ?`,
    row.id,
    row.attempt,
  )) ?? { inputTokens: 0, outputTokens: 0, ...noCost };
  const reservation = await reservationOf(sql, callOf(row));
  const { inputTokens, outputTokens } = outcome;
  let used: ModelUsage = booked;
  if (inputTokens !== undefined && outputTokens !== undefined) {
    used = {
      inputTokens: Math.max(inputTokens, booked.inputTokens),
      outputTokens: Math.max(outputTokens, booked.outputTokens),
    };
  } else if (reservation) {
    used = {
      inputTokens: booked.inputTokens + reservation.minimum,
      outputTokens: booked.outputTokens + estimateTokens(received),
    };
  }
  const { micros, unpriced } = booked;
  if (!reservation) return { ...used, cost: { micros, unpriced } };
  const lost = {
    inputTokens: used.inputTokens - booked.inputTokens,
    outputTokens: used.outputTokens - booked.outputTokens,
  };
  const cost = costAsReserved(reservation, lost);
  await settle(sql, callOf(row), lost.inputTokens + lost.outputTokens, at, cost);
  return { ...used, cost: { micros: micros + cost.micros, unpriced: unpriced + cost.unpriced } };
}

/** Adds a warning to a job that has ended, also to its log. */
export async function addWarning(sql: Sql, jobId: string, warning: string, at: EpochMs): Promise<void> {
  const row = await sql.get<Pick<JobRow, 'warnings'>>('select warnings from jobs where id = ?', jobId);
  if (!row) return;
  const warnings = [...new Set([...(JSON.parse(row.warnings) as string[]), warning])];
  await sql.run('update jobs set warnings = ?, updated_at = ? where id = ?', JSON.stringify(warnings), at, jobId);
  await insertRow(sql, 'job_logs', { job_id: jobId, at, level: 'error', message: warning, fields: null });
}

/** What is new of a running attempt since the last update. */
export interface AttemptUpdate {
  /** Whether the output starts over: the pieces stored so far are deleted. */
  restart: boolean;
  /** The next piece of the output; '' for none. */
  piece: string;
  /** Order of the piece among the others. */
  chunk: number;
  /** From 0 to 1. */
  progress: { fraction: number; message: string | undefined } | undefined;
  /** What the model call under way is known to have used; zero of both when it has ended. */
  usage: (ModelUsage & { model: string }) | undefined;
  logs: readonly NewLogEntry[];
}

export type NewLogEntry = Omit<LogEntry, 'id'>;

/** Stores output, progress and log entries of a running attempt. A superseded attempt writes nothing. */
export async function storeUpdate(sql: Sql, key: AttemptKey, update: AttemptUpdate, at: EpochMs): Promise<void> {
  if (!(await isCurrentAttempt(sql, key))) return;
  const { jobId } = key;
  if (update.restart) await sql.run('delete from job_chunks where job_id = ?', jobId);
  if (update.piece !== '') {
    await sql.run('insert into job_chunks (job_id, seq, text) values (?, ?, ?)', jobId, update.chunk, update.piece);
  }
  if (update.progress) {
    await sql.run(
      'update jobs set progress = ?, progress_message = ?, updated_at = ? where id = ?',
      update.progress.fraction,
      update.progress.message ?? null,
      at,
      jobId,
    );
  }
  if (update.usage) {
    const { model, inputTokens, outputTokens } = update.usage;
    await sql.run(
      `update job_attempts set model = ?, live_input_tokens = ?, live_output_tokens = ?
       where job_id = ? and ended_at is null`,
      model,
      inputTokens,
      outputTokens,
      jobId,
    );
  }
  for (const entry of update.logs) await insertRow(sql, 'job_logs', { job_id: jobId, ...entry });
}

/**
 * Records a file as an artifact of the attempt's job; the same name replaces the earlier one. Resolves to false, with
 * nothing written, when the attempt has been superseded.
 */
export async function recordArtifact(
  sql: Sql,
  key: AttemptKey,
  artifact: StoredArtifact,
  at: EpochMs,
): Promise<boolean> {
  if (!(await isCurrentAttempt(sql, key))) return false;
  const { name, path, size_bytes, sha256 } = artifact;
  await sql.run(
    `insert into job_artifacts (job_id, name, path, size_bytes, sha256, created_at) values (?, ?, ?, ?, ?, ?)
     on conflict (job_id, name) do update set size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
       created_at = excluded.created_at`,
    key.jobId,
    name,
    path,
    size_bytes,
    sha256,
    at,
  );
  return true;
}

async function isCurrentAttempt(sql: Sql, { jobId, token }: AttemptKey): Promise<boolean> {
  return (
    (await sql.get('select 1 from jobs where id = ? and attempt_token = ? for update', jobId, token)) !== undefined
  );
}
