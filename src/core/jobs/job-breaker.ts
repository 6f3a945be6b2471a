import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { acquirePermit, type PermitAnswer, recordFailure, recordSuccess } from '../breakers/guard.js';
import type { FailureType } from '../breakers/machine.js';
import { callOf } from './attempts.js';
import type { JobRow } from './job.js';
import type { Outcome } from './outcome.js';

/** The breaker that guards all jobs of a type, from the moment that somebody configures or trips it. */
export const breakerOf = (type: string): string => `job:${type}`;

/** Asks the breaker of an attempt's job type; resolves to nothing where there is none. */
export async function askJobBreaker(db: Database, job: JobRow, clock: Clock): Promise<PermitAnswer | undefined> {
  const id = breakerOf(job.type);
  // Most types have none: looked up without the write lock.
  if (!(await isGuarded(db, id))) return undefined;
  // The permit is released when the attempt is over, however it ends: by its timeout at the latest.
  const request = { holder: callOf(job), callMs: job.timeout_seconds * 1000 };
  return db.transaction((sql) => acquirePermit(sql, id, request, clock.now()));
}

/** Tells the breaker of a job's type, where there is one, how an attempt ended. */
export async function recordOutcome(sql: Sql, job: JobRow, outcome: Outcome, at: number): Promise<void> {
  const id = breakerOf(job.type);
  const failure = failureOf(outcome);
  if ((outcome.kind !== 'completed' && !failure) || !(await isGuarded(sql, id))) return;
  if (!failure) await recordSuccess(sql, id, { at });
  else await recordFailure(sql, id, failure, { at, retryAfterMs: failure.retryAfterMs });
}

async function isGuarded(sql: Sql, id: string): Promise<boolean> {
  return (await sql.get('select 1 from breakers where id = ?', id)) !== undefined;
}

/** Codes of failures that are the submitter's to mend: they say nothing of how healthy the work of a type is. */
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
  // In an agent's own word, in capitals, it tells its submitter what is wrong with the job.
  const isOwnFault = submitterFaults.has(code) || (/^[A-Z]/.test(code) && !isTransient);
  return isOwnFault ? undefined : { type: types[code] ?? 'exception', message, retryAfterMs };
}
