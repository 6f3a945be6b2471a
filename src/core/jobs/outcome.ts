import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
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

/** What the end of a job also does, whichever end it is, in the same transaction. */
export type JobEnded = (sql: Sql, job: JobRow, change: Change) => Promise<void>;

export function spendingOf({ output, model, inputTokens, outputTokens, warnings }: Outcome): Spending {
  return { output, model, inputTokens, outputTokens, warnings };
}

/** What the row says of an outcome that is not a success. */
export function problemOf(outcome: Outcome): { code: string; message: string } | undefined {
  switch (outcome.kind) {
    case 'completed':
      return undefined;
    case 'failed':
      return { code: outcome.code, message: outcome.message };
    case 'lost':
      return { code: 'runner_lost', message: outcome.message };
    case 'postponed':
      return { code: 'postponed', message: outcome.message };
    case 'cancelled':
      return { code: 'cancelled', message: outcome.message ?? 'The job was cancelled.' };
  }
}
