import type { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import type { JobRow } from './job.js';

/** How an attempt ended. Its spending is kept, whatever the end. */
export type Outcome = Spending &
  (
    | { kind: 'completed'; result: Json }
    /** `isBlocking`: it held the thread that it may have shared, so its next try has a process of its own. */
    | {
        kind: 'failed';
        code: string;
        message: string;
        isTransient: boolean;
        retryAfterMs?: number | undefined;
        isBlocking?: boolean;
      }
    | { kind: 'cancelled'; message?: string | undefined }
    /**
     * Nothing was tried, because something that it needs is unavailable for `retryAfterMs`. Does not count as a try.
     * `blockedBy` names the breakers that refused it: it starts as soon as one of them closes.
     * `isBlocking`: it held the thread that it shared with others, so it goes on in a process of its own.
     * `hasNotBegun`: its runner had claimed it, and none of its code has run; it keeps its place in the queue.
     */
    | {
        kind: 'postponed';
        message: string;
        retryAfterMs: number;
        blockedBy?: readonly string[] | undefined;
        isBlocking?: boolean;
        hasNotBegun?: boolean;
      }
    /** The runner vanished without leaving an outcome. */
    | { kind: 'lost'; message: string }
  );

/** Of a job that goes back to the queue as if it had not been claimed. */
export const notBegun = (message: string): Outcome => ({
  kind: 'postponed',
  message,
  retryAfterMs: 0,
  hasNotBegun: true,
});

export interface Spending {
  output?: string | undefined;
  model?: string | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  warnings?: readonly string[] | undefined;
  /** What there was of a result; it becomes the result of a job that ends without one. */
  partial?: Json | undefined;
}

/** Names an attempt. The token is its fencing token: the attempt may write as long as the token is the job's current one. */
export interface AttemptKey {
  jobId: string;
  token: string;
}

/** Runs in the transaction that completes a job of its type, so that it happens exactly once. */
export type JobEffect = (sql: Sql, job: JobRow, result: Json, change: Change) => Promise<void>;

/** Runs in the transaction in which a job ends, however it ends. */
export type JobEnded = (sql: Sql, job: JobRow, change: Change) => Promise<void>;

/** An attempt that is over, and how it ended. */
export interface EndedAttempt {
  key: AttemptKey;
  outcome: Outcome;
  /** As it was claimed, where that is still known: it need not be read again then. */
  job?: JobRow;
}

/** What the writing of outcomes goes by. */
export interface FinishRules {
  clock: Clock;
  effects: ReadonlyMap<string, JobEffect>;
  onEnded: JobEnded;
  backoff: Backoff;
  random: () => number;
}

export function spendingOf({ output, model, inputTokens, outputTokens, warnings, partial }: Outcome): Spending {
  return { output, model, inputTokens, outputTokens, warnings, partial };
}

/** The error of an outcome, as it is stored; undefined for a completed one. */
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
