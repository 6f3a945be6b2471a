import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { acquirePermit, type PermitAnswer, recordFailure, recordSuccess } from '../breakers/guard.js';
import type { FailureType } from '../breakers/machine.js';
import type { TimedChange } from '../change.js';
import { callOf } from './attempts.js';
import type { JobRow } from './job.js';
import type { Outcome } from './outcome.js';
import { wakeBlockedJobs } from './wake-jobs.js';

/** Id of the breaker that guards all jobs of a type. It exists once someone has configured or tripped it. */
export const breakerOf = (type: string): string => `job:${type}`;

/** Asks the breaker of a job's type to admit an attempt. Resolves to undefined where there is no breaker. */
export async function askJobBreaker(db: Database, job: JobRow, clock: Clock): Promise<PermitAnswer | undefined> {
  const id = breakerOf(job.type);
  // Most types have none, so it is looked up without the write lock first.
  if (!(await isGuarded(db, id))) return undefined;
  // The permit is released when the attempt is over, however it ends: by its timeout at the latest.
  const request = { holder: callOf(job), callMs: job.timeout_seconds * 1000 };
  return db.transaction((sql) => acquirePermit(sql, id, request, clock), { beside: true });
}

/** Records the outcome of an attempt on the breaker of the job's type, where there is one. */
export async function recordOutcome(
  sql: Sql,
  job: JobRow,
  outcome: Outcome,
  change: TimedChange,
  /** Whether there is a breaker with an id, as far as this transaction has looked. */
  guarded: Map<string, boolean>,
): Promise<void> {
  const id = breakerOf(job.type);
  const failure = failureOf(outcome);
  if (outcome.kind !== 'completed' && !failure) return;
  const isKnown = guarded.get(id) ?? (await isGuarded(sql, id));
  guarded.set(id, isKnown);
  if (!isKnown) return;
  if (failure) {
    await recordFailure(sql, id, failure, { ...change, retryAfterMs: failure.retryAfterMs });
    return;
  }
  const { from, to } = await recordSuccess(sql, id, change);
  if (from !== to && to === 'closed') await wakeBlockedJobs(sql, id, change);
}

/** Those of some types that have a breaker. */
export async function guardedTypes(sql: Sql, types: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const known = [...types];
  const rows = await sql.all<{ id: string }>(
    `select id from breakers where id in (${known.map(() => '?').join(', ')})`,
    ...known.map(breakerOf),
  );
  const guarded = new Set(rows.map(({ id }) => id));
  return new Set(known.filter((type) => guarded.has(breakerOf(type))));
}

async function isGuarded(sql: Sql, id: string): Promise<boolean> {
  return (await sql.get('select 1 from breakers where id = ?', id)) !== undefined;
}

/** Codes of failures that the submitter must fix. They say nothing about the health of the job type. */
const submitterFaults = new Set([
  'invalid',
  'invalid_request',
  'not_found',
  'not_configured',
  'auth',
  'refused',
  'conflict',
  'cancelled',
  'circuit_open',
]);

const types: Record<string, FailureType> = {
  timeout: 'timeout',
  rate_limited: 'rate_limited',
  invalid_output: 'invalid_output',
  budget_exhausted: 'resource_exhausted',
  exhausted: 'resource_exhausted',
};

function failureOf(outcome: Outcome) {
  if (outcome.kind === 'lost') return { type: 'exception' as const, message: outcome.message, retryAfterMs: undefined };
  if (outcome.kind !== 'failed') return undefined;
  const { code, message, isTransient, retryAfterMs } = outcome;
  // An agent's own code, in capitals, tells the submitter what is wrong with the job.
  const isOwnFault = submitterFaults.has(code) || (/^[A-Z]/.test(code) && !isTransient);
  return isOwnFault ? undefined : { type: types[code] ?? 'exception', message, retryAfterMs };
}
