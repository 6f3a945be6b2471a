import type { Sql } from '../../store/sql.js';
import type { ModelUsage } from '../ports.js';
import { count, type Increment, observe, raise } from './counters.js';

/** What a counted job must tell. */
interface CountedJob {
  id: string;
  type: string;
  run_at: number;
  created_at: number;
}

export function countSubmitted(sql: Sql, type: string): Promise<void> {
  return raise(sql, [count('jobs_submitted_total', { type })]);
}

/** An attempt begins; what it waited for is over when it was due and the last of its dependencies was done. */
export async function countStarted(sql: Sql, { id, type, run_at, created_at }: CountedJob, at: number): Promise<void> {
  const last = await sql.get<{ done: number | null }>(
    'select max(j.completed_at) as done from job_dependencies d join jobs j on j.id = d.depends_on where d.job_id = ?',
    id,
  );
  const readyAt = Math.max(run_at, created_at, last?.done ?? 0);
  await raise(sql, [
    count('jobs_started_total', { type }),
    ...observe('job_queue_wait_seconds', { type }, (at - readyAt) / 1000),
  ]);
}

/** An attempt that is over. */
export interface CountedAttempt {
  type: string;
  /** Milliseconds. */
  durationMs: number;
  /** Why it failed, if it did. */
  errorCode: string | undefined;
  /** How its job ended with it; nothing when the job goes on. */
  status: 'completed' | 'failed' | 'cancelled' | undefined;
}

export function countAttempt(sql: Sql, { type, durationMs, errorCode, status }: CountedAttempt): Promise<void> {
  const seconds = Math.max(0, durationMs / 1000);
  const increments: Increment[] = [count('agent_busy_seconds_total', { agent: type }, seconds)];
  if (errorCode !== undefined) increments.push(count('job_errors_total', { type, code: errorCode }));
  if (status !== undefined) {
    increments.push(count('jobs_finished_total', { type, status }));
    increments.push(...observe('job_duration_seconds', { type, status }, seconds));
  }
  return raise(sql, increments);
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
