import { retryDelayMs } from '../../base/backoff.js';
import type { Clock, EpochMs } from '../../base/clock.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { rowOf } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import { releasePermitsOf } from '../breakers/guard.js';
import { readBreaker } from '../breakers/list-breakers.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { countAttempt, type Increment, raise, readyAt } from '../metrics/counters.js';
import { callOf, closeAttempt, type JobGains, wasPostponed } from './attempts.js';
import { notifyDependents } from './dependents.js';
import { finishPlain } from './finish-plain.js';
import type { JobRow } from './job.js';
import { recordOutcome } from './job-breaker.js';
import {
  type AttemptKey,
  type EndedAttempt,
  type FinishRules,
  type Outcome,
  problemOf,
  spendingOf,
} from './outcome.js';

export type { EndedAttempt, FinishRules } from './outcome.js';

/** A job that has lost this many runners is dead: another try would only cost one more. */
const deadlyCrashes = 3;

/**
 * Writes the outcomes of attempts: their jobs end, or go back into the queue for another try. All of them are one
 * transaction, which is on the disk when this resolves, because outcomes are paid for. Resolves to the rows as stored;
 * undefined stands for an attempt that another one has superseded. Throws `unavailable` when the database cannot be
 * written to; then nothing has changed.
 *
 * @param next is called last in the same transaction; its result is handed on
 * @param onBegun is called when the transaction has begun
 */
export async function finishAttempts<Next>(
  db: Database,
  ended: readonly EndedAttempt[],
  rules: FinishRules,
  next: (sql: Sql) => Promise<Next>,
  onBegun: () => void = () => {},
): Promise<{ rows: (JobRow | undefined)[]; next: Next }> {
  const write = (attempts: readonly EndedAttempt[]) =>
    db.transaction(
      async (sql) => {
        onBegun();
        const rows: (JobRow | undefined)[] = [];
        const batch = newBatch();
        const plain = await finishPlain(sql, attempts, rules, batch.counted);
        for (const attempt of attempts) {
          const { key, outcome } = attempt;
          rows.push(plain.get(attempt) ?? (await writeOutcome(sql, key, outcome, rules, rules.clock.now(), batch)));
        }
        await raise(sql, batch.counted);
        return { rows, next: await next(sql) };
      },
      { durable: attempts.length > 0 },
    );
  try {
    return await write(ended);
  } catch (error) {
    if (ended.length === 0 || isUnavailable(error)) throw error;
    // One of them cannot be written as it is, which must not keep the others: each has a transaction of its own.
    const rows = await Promise.allSettled(
      ended.map(({ key, outcome }) => finishAttempt(db, key, outcome, rules, rules.clock.now())),
    );
    const failed = rows.find((row) => row.status === 'rejected');
    if (failed) throw failed.reason;
    const written = rows.map((row) => (row.status === 'fulfilled' ? row.value : undefined));
    return { rows: written, next: (await write([])).next };
  }
}

/**
 * The same for one attempt. When the effect of completing its job fails, the job fails with that.
 *
 * @param mayWrite is called first in the same transaction; when it resolves to false, nothing is written
 */
export async function finishAttempt(
  db: Database,
  key: AttemptKey,
  outcome: Outcome,
  rules: FinishRules,
  at: EpochMs,
  mayWrite: (sql: Sql) => Promise<boolean> = async () => true,
): Promise<JobRow | undefined> {
  const write = (ending: Outcome) =>
    db.transaction(
      async (sql) => ((await mayWrite(sql)) ? writeOne(sql, { key, outcome: ending }, rules, at) : undefined),
      { durable: true },
    );
  try {
    return await write(outcome);
  } catch (error) {
    if (outcome.kind !== 'completed' || isUnavailable(error)) throw error;
    // The effect of completing the job failed: its goal was cancelled, say, or the effect has a defect.
    const code = error instanceof RuntimeError ? error.code : 'internal';
    const reason = messageOf(error);
    const message = `The work was done, but its result could not be applied: ${reason}`;
    return write({ ...spendingOf(outcome), kind: 'failed', code, message, isTransient: false });
  }
}

/** Replaces the result of a completed job, for effects that add to what the agent returned. */
export async function setResult(sql: Sql, job: JobRow, result: object): Promise<void> {
  await sql.run('update jobs set result = ? where seq = ?', JSON.stringify(result), job.seq);
}

/**
 * Deletes a job that ended before a time, unless another job depends on it or its run still goes on. Resolves to the
 * paths of its artifacts, for the caller to remove, or to undefined when the job was kept.
 */
export async function deleteEndedJob(sql: Sql, id: string, before: EpochMs): Promise<string[] | undefined> {
  const artifacts = await sql.all<{ path: string }>('select path from job_artifacts where job_id = ?', id);
  const deleted = await sql.run(
    `delete from jobs where id = ? and status in ('completed', 'failed', 'cancelled')
       and coalesce(completed_at, updated_at) < ?
       and not exists (select 1 from job_dependencies where depends_on = jobs.id)
       and not exists (select 1 from jobs child where child.parent_id = jobs.id)
       and not exists (select 1 from jobs run where run.id = jobs.parent_id and run.status = 'running')`,
    id,
    before,
  );
  return deleted === 0 ? undefined : artifacts.map(({ path }) => path);
}

/** Whether the database failed, so that the same write may succeed later. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'unavailable';
}

/** Writes one outcome within a transaction; see `finishAttempts`. */
export async function writeOne(
  sql: Sql,
  { key, outcome }: EndedAttempt,
  rules: FinishRules,
  at: EpochMs,
): Promise<JobRow | undefined> {
  const batch = newBatch();
  const row = await writeOutcome(sql, key, outcome, rules, at, batch);
  await raise(sql, batch.counted);
  return row;
}

/** What the outcomes of one transaction share, so that each asks and writes less. */
interface Batch {
  /** To be raised at the end, by one statement. */
  counted: Increment[];
  /** Whether there is a breaker with this id, as far as it was looked up. */
  guarded: Map<string, boolean>;
}

const newBatch = (): Batch => ({ counted: [], guarded: new Map() });

async function writeOutcome(
  sql: Sql,
  { jobId, token }: AttemptKey,
  outcome: Outcome,
  rules: FinishRules,
  at: EpochMs,
  batch: Batch,
): Promise<JobRow | undefined> {
  const row = await sql.get<JobRow>(
    "select * from jobs where id = ? and attempt_token = ? and status = 'running'",
    jobId,
    token,
  );
  if (!row) return undefined;
  const isStillWaiting = outcome.kind === 'postponed' && (await wasPostponed(sql, row));
  const attempt = await closeAttempt(sql, row, outcome, at);
  await releasePermitsOf(sql, callOf(row));

  const isCancelled = row.cancel_requested_at !== null && outcome.kind !== 'completed';
  const decided: Outcome = isCancelled ? { ...spendingOf(outcome), kind: 'cancelled' } : outcome;
  await recordOutcome(sql, row, decided, { at, clock: rules.clock }, batch.guarded);
  const change: Change = { at };
  const delay = retryDelayOf(row, decided, rules);
  const counted = countAttempt({
    type: row.type,
    waitedMs: attempt.startedAt - readyAt(row.run_at, row.created_at, attempt.dependenciesDoneAt),
    durationMs: at - attempt.startedAt,
    errorCode: decided.kind === 'failed' || decided.kind === 'lost' ? problemOf(decided)?.code : undefined,
    status: delay === undefined ? statusAfter(decided) : undefined,
  });
  batch.counted.push(...counted);
  if (delay === undefined) return end(sql, row, attempt.gains, decided, rules, change);
  const pauseMs = (await hasBreakerClosed(sql, decided, rules.clock)) ? 0 : delay;
  const runAt = at + pauseMs;
  const requeued = await requeue(sql, row, attempt.gains, decided, { at, pauseMs, clock: rules.clock });
  if (!isStillWaiting) await recordRequeued(sql, row, decided, runAt, change);
  return requeued;
}

/** Whether a breaker that refused the attempt has closed in the meantime: its closing could not wake a running job. */
async function hasBreakerClosed(sql: Sql, outcome: Outcome, clock: Clock): Promise<boolean> {
  const blockedBy = outcome.kind === 'postponed' ? (outcome.blockedBy ?? []) : [];
  for (const id of blockedBy) {
    const { circuit } = await readBreaker(sql, id, clock);
    if (circuit.state === 'closed') return true;
  }
  return false;
}

/** The delay until the next try, milliseconds; undefined when there is no next try. */
function retryDelayOf(row: JobRow, outcome: Outcome, { backoff, random }: FinishRules): number | undefined {
  // Jittered, so that jobs postponed for the same reason do not return at the same instant.
  if (outcome.kind === 'postponed') return Math.round(outcome.retryAfterMs * (1 + random() / 4));
  if (row.tries >= row.max_attempts) return undefined;
  if (outcome.kind === 'lost') {
    return row.crashes + 1 < deadlyCrashes ? retryDelayMs(backoff, row.crashes, random) : undefined;
  }
  if (outcome.kind !== 'failed' || !outcome.isTransient) return undefined;
  return retryDelayMs(backoff, row.tries, random, outcome.retryAfterMs);
}

const mustBeAlone = (outcome: Outcome): boolean =>
  outcome.kind === 'lost' ||
  ((outcome.kind === 'postponed' || outcome.kind === 'failed') && outcome.isBlocking === true);

async function requeue(
  sql: Sql,
  row: JobRow,
  gains: JobGains,
  outcome: Outcome,
  { at, pauseMs, clock }: { at: EpochMs; pauseMs: number; clock: Clock },
): Promise<JobRow | undefined> {
  const problem = problemOf(outcome);
  return sql.get<JobRow>(
    `update jobs set status = 'pending', runner_id = null, attempt_token = null, lane = ?, run_at = ?, run_tick = ?,
       run_boot_id = ?, blocked_by = ?, tries = ?, crashes = ?, ${gained},
       error_code = ?, error_message = ?, updated_at = ? where seq = ? returning *`,
    // A job whose runner was lost may have ended it, and would end the calls beside it again.
    mustBeAlone(outcome) ? 'process' : row.lane,
    outcome.kind === 'postponed' && outcome.hasNotBegun ? row.run_at : at + pauseMs,
    // A stepped wall clock neither shortens nor lengthens the pause.
    pauseMs === 0 ? 0 : clock.tick() + pauseMs,
    pauseMs === 0 ? null : clock.bootId,
    outcome.kind === 'postponed' && outcome.blockedBy?.length ? JSON.stringify(outcome.blockedBy) : null,
    outcome.kind === 'postponed' ? row.tries - 1 : row.tries,
    outcome.kind === 'lost' ? row.crashes + 1 : row.crashes,
    ...gainValues(gains),
    problem?.code ?? null,
    problem?.message ?? null,
    at,
    row.seq,
  );
}

async function recordRequeued(sql: Sql, row: JobRow, outcome: Outcome, runAt: number, change: Change): Promise<void> {
  await recordEvent(sql, {
    ...change,
    subject: 'job',
    subjectId: row.id,
    type: outcome.kind === 'postponed' ? 'postponed' : 'retrying',
    data: { attempt: row.attempt, next_at: new Date(runAt).toISOString(), ...problemOf(outcome) },
  });
}

/** The status of a job whose last outcome this is. */
function statusAfter({ kind }: Outcome): 'completed' | 'failed' | 'cancelled' {
  return kind === 'completed' || kind === 'cancelled' ? kind : 'failed';
}

/** SQL of an update of a job by what its attempt has left; takes `gainValues`. */
const gained =
  'output = ?, model = ?, input_tokens = ?, output_tokens = ?, cost_micros = ?, unpriced_calls = ?, warnings = ?';

const gainValues = (gains: JobGains) => [
  gains.output,
  gains.model,
  gains.input_tokens,
  gains.output_tokens,
  gains.cost_micros,
  gains.unpriced_calls,
  gains.warnings,
];

async function end(
  sql: Sql,
  row: JobRow,
  gains: JobGains,
  outcome: Outcome,
  rules: FinishRules,
  change: Change,
): Promise<JobRow> {
  const status = statusAfter(outcome);
  const problem = problemOf(outcome);
  const isLost = outcome.kind === 'lost';
  const ended = rowOf(
    await sql.get<JobRow>(
      `update jobs set status = ?, result = ?, ${gained}, error_code = ?, error_message = ?, crashes = ?, is_dead = ?,
       progress = case when ? = 'completed' then 1 else progress end, runner_id = null, attempt_token = null,
       completed_at = ?, updated_at = ? where seq = ? returning *`,
      status,
      resultOf(outcome),
      ...gainValues(gains),
      problem?.code ?? null,
      problem?.message ?? null,
      row.crashes + Number(isLost),
      Number(isLost),
      status,
      change.at,
      change.at,
      row.seq,
    ),
  );
  if (outcome.kind === 'completed') await rules.effects.get(row.type)?.(sql, ended, outcome.result, change);
  await recordEvent(sql, {
    ...change,
    subject: 'job',
    subjectId: row.id,
    type: isLost ? 'died' : status,
    data: { attempt: row.attempt, type: row.type, ...problem },
  });
  await notifyDependents(sql, ended, change, rules.onEnded);
  return ended;
}

/** The result to store, as JSON: what a cancelled or failed attempt has left, too. */
function resultOf(outcome: Outcome): string | null {
  const result = outcome.kind === 'completed' ? outcome.result : outcome.partial;
  return result === undefined ? null : JSON.stringify(result);
}
