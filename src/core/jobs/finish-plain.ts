import type { EpochMs } from '../../base/clock.js';
import type { Sql, Value } from '../../store/sql.js';
import { isHeldByAny } from '../breakers/guard.js';
import { reservationsOf } from '../budget/ledger.js';
import { recordEvents } from '../events/events.js';
import { countAttempt, type Increment, readyAt } from '../metrics/counters.js';
import { callOf } from './attempts.js';
import { releaseDependents } from './dependents.js';
import type { JobRow } from './job.js';
import { guardedTypes } from './job-breaker.js';
import type { AttemptKey, EndedAttempt, FinishRules, Outcome } from './outcome.js';

/** A job that completed, called no model, and whose end concerns nothing but its own rows and the jobs that wait for it. */
interface Plain {
  ended: EndedAttempt;
  key: AttemptKey;
  job: JobRow;
  outcome: Outcome & { kind: 'completed' };
}

/**
 * Writes the plain outcomes among those of a transaction, all by the same few statements. Resolves to the rows of their
 * jobs; what is missing there is left to the caller, and was not touched. Throws when an attempt turns out to be superseded
 * half-way; then the transaction is to be undone.
 */
export async function finishPlain(
  sql: Sql,
  ended: readonly EndedAttempt[],
  rules: FinishRules,
  counted: Increment[],
): Promise<ReadonlyMap<EndedAttempt, JobRow>> {
  const at = rules.clock.now();
  const plain = await withoutTies(
    sql,
    ended.flatMap((attempt) => asPlain(attempt, rules)),
  );
  if (plain.length === 0) return new Map();
  const closed = await closeAttempts(sql, plain, at);
  const current = plain.filter(({ job }) => closed.has(job.id));
  if (current.length === 0) return new Map();
  const rows = new Map(current.map((one) => [one.ended, completedRow(one, at)]));
  await completeJobs(sql, [...rows.values()], current, at);
  await sql.send(`delete from job_chunks where job_id in (${marks(current)})`, ...current.map(({ job }) => job.id));
  await recordEvents(
    sql,
    current.map(({ job: { id, type, attempt } }) => ({
      at,
      subject: 'job',
      subjectId: id,
      type: 'completed',
      data: { attempt, type },
    })),
  );
  for (const { job } of current) counted.push(...countedOf(job, closed.get(job.id), at));
  await releaseDependents(
    sql,
    current.map(({ job }) => job.id),
  );
  for (const row of rows.values()) await rules.onEnded(sql, row, { at });
  return rows;
}

/** None, or one, by what is known of the job since it was claimed. */
function asPlain(ended: EndedAttempt, { effects }: FinishRules): Plain[] {
  const { job, key, outcome } = ended;
  if (job === undefined || outcome.kind !== 'completed') return [];
  const isOnItsOwn = job.task_id === null && job.goal_id === null && job.parent_id === null;
  const hasCalled = outcome.model !== undefined || Boolean(outcome.inputTokens) || Boolean(outcome.outputTokens);
  if (!isOnItsOwn || hasCalled || outcome.output === undefined || effects.has(job.type)) return [];
  return [{ ended, key, job, outcome }];
}

/** Those without a breaker of their type, a probe of any breaker, and tokens that were reserved for them. */
async function withoutTies(sql: Sql, plain: readonly Plain[]): Promise<Plain[]> {
  if (plain.length === 0 || (await isHeldByAny(sql))) return [];
  const guarded = await guardedTypes(sql, new Set(plain.map(({ job }) => job.type)));
  const reserved = await reservationsOf(
    sql,
    plain.map(({ job }) => callOf(job)),
  );
  return plain.filter(({ job }) => !guarded.has(job.type) && !reserved.has(callOf(job)));
}

interface Closed {
  jobId: string;
  startedAt: EpochMs;
  dependenciesDoneAt: EpochMs | null;
}

/** Closes the attempts that are still open and have used no tokens, by their jobs. */
async function closeAttempts(sql: Sql, plain: readonly Plain[], at: EpochMs): Promise<Map<string, Closed>> {
  const closed = await sql.all<Closed>(
    `update job_attempts set outcome = 'completed', error_code = null, error_message = null, model = null, output = null,
       ended_at = ?
     where (job_id, attempt) in (${valuesOf(plain, ['text', 'bigint'])}) and ended_at is null
       and input_tokens = 0 and output_tokens = 0 and cost_micros = 0 and unpriced_calls = 0
     returning job_id as "jobId", started_at as "startedAt",
       (select max(j.completed_at) from job_dependencies d join jobs j on j.id = d.depends_on
        where d.job_id = job_attempts.job_id) as "dependenciesDoneAt"`,
    at,
    ...plain.flatMap(({ job }) => [job.id, job.attempt]),
  );
  return new Map(closed.map((row) => [row.jobId, row]));
}

async function completeJobs(sql: Sql, rows: readonly JobRow[], plain: readonly Plain[], at: EpochMs): Promise<void> {
  const completed = await sql.run(
    `with ended (seq, token, result, output, warnings) as (${valuesOf(plain, ['bigint', 'text', 'text', 'text', 'text'])})
     update jobs set status = 'completed', result = ended.result, output = ended.output, warnings = ended.warnings,
       error_code = null, error_message = null, is_dead = 0, progress = 1, runner_id = null, attempt_token = null,
       completed_at = ?, updated_at = ?
     from ended where jobs.seq = ended.seq and jobs.attempt_token = ended.token and jobs.status = 'running'`,
    ...rows.flatMap(({ seq, result, output, warnings }, index): Value[] => [
      seq,
      plain[index]?.key.token ?? '',
      result,
      output,
      warnings,
    ]),
    at,
    at,
  );
  if (completed !== rows.length) throw new Error(`Only ${completed} of ${rows.length} jobs could be completed.`);
}

/** What the row of the job is from now on. */
function completedRow({ job, outcome }: Plain, at: EpochMs): JobRow {
  const warnings = [...(JSON.parse(job.warnings) as string[]), ...(outcome.warnings ?? [])];
  return {
    ...job,
    status: 'completed',
    result: JSON.stringify(outcome.result) ?? null,
    output: outcome.output || null,
    warnings: warnings.length === 0 ? job.warnings : JSON.stringify([...new Set(warnings)]),
    error_code: null,
    error_message: null,
    is_dead: 0,
    progress: 1,
    runner_id: null,
    attempt_token: null,
    completed_at: at,
    updated_at: at,
  };
}

function countedOf(job: JobRow, closed: Closed | undefined, at: EpochMs): Increment[] {
  const { startedAt, dependenciesDoneAt } = closed ?? { startedAt: at, dependenciesDoneAt: null };
  return countAttempt({
    type: job.type,
    waitedMs: startedAt - readyAt(job.run_at, job.created_at, dependenciesDoneAt),
    durationMs: at - startedAt,
    errorCode: undefined,
    status: 'completed',
  });
}

const marks = (list: readonly unknown[]): string => list.map(() => '?').join(', ');

/** A row of `values` for each of a list. The first one says the types of its columns. */
function valuesOf(list: readonly unknown[], types: readonly string[]): string {
  const first = types.map((type) => `cast(? as ${type})`).join(', ');
  const other = types.map(() => '?').join(', ');
  return `values ${list.map((_, index) => `(${index === 0 ? first : other})`).join(', ')}`;
}
