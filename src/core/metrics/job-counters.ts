import type { Sql } from '../../store/sql.js';
import type { ModelUsage } from '../ports.js';
import { count, type Increment, observe, raise } from './counters.js';

export function countSubmitted(sql: Sql, type: string): Promise<void> {
  return raise(sql, [count('jobs_submitted_total', { type })]);
}

/** From when a job could start: when it was due and the last of its dependencies was done. Epoch milliseconds. */
export function readyAt(runAt: number, createdAt: number, dependenciesDoneAt: number | null): number {
  return Math.max(runAt, createdAt, dependenciesDoneAt ?? 0);
}

/** An attempt that is over. */
export interface CountedAttempt {
  type: string;
  waitedMs: number;
  durationMs: number;
  /** Why it failed, if it did. */
  errorCode: string | undefined;
  /** How its job ended with it; nothing when the job goes on. */
  status: 'completed' | 'failed' | 'cancelled' | undefined;
}

/**
 * Counts an attempt when it ends, its start as well: while it runs its row tells of that, and a claim need not write one
 * page more.
 */
export function countAttempt(
  sql: Sql,
  { type, waitedMs, durationMs, errorCode, status }: CountedAttempt,
): Promise<void> {
  const seconds = Math.max(0, durationMs / 1000);
  const increments: Increment[] = [
    ...countStart(type, waitedMs),
    count('agent_busy_seconds_total', { agent: type }, seconds),
  ];
  if (errorCode !== undefined) increments.push(count('job_errors_total', { type, code: errorCode }));
  if (status !== undefined) {
    increments.push(count('jobs_finished_total', { type, status }));
    increments.push(...observe('job_duration_seconds', { type, status }, seconds));
  }
  return raise(sql, increments);
}

/** A start, and what the job had waited for it. */
export function countStart(type: string, waitedMs: number): Increment[] {
  return [count('jobs_started_total', { type }), ...observe('job_queue_wait_seconds', { type }, waitedMs / 1000)];
}

/** Jobs that ended before they had begun, by their types. */
export function countCancelled(sql: Sql, types: readonly string[]): Promise<void> {
  return raise(
    sql,
    types.map((type) => count('jobs_finished_total', { type, status: 'cancelled' })),
  );
}

export interface CountedCall {
  provider: string;
  model: string;
  /** Why it failed; nothing for an answer. */
  failure: string | undefined;
  usage: ModelUsage;
}

export function countModelCall(sql: Sql, { provider, model, failure, usage }: CountedCall): Promise<void> {
  // Names that no provider knows are without end.
  const known = { provider, model: failure === 'not_found' ? 'unknown' : model };
  return raise(sql, [
    count('llm_requests_total', { ...known, status: failure ?? 'ok' }),
    count('llm_tokens_total', { ...known, direction: 'input' }, usage.inputTokens),
    count('llm_tokens_total', { ...known, direction: 'output' }, usage.outputTokens),
  ]);
}
