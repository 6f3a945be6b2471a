import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newUuid } from '../../base/ids.js';
import type { Json, JsonObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { setBudget } from '../budget/ledger.js';
import { recordEvent } from '../events/events.js';
import { countSubmitted } from '../metrics/counters.js';
import type { TaskReference } from '../tasks/task.js';
import { claimTaskForJob } from './board-task.js';
import type { JobRow } from './job.js';
import { findJob } from './read-jobs.js';

export interface NewJob {
  type: string;
  /** Already checked by its agent's schema. */
  payload: Json;
  metadata?: JsonObject | undefined;
  priority?: number | undefined;
  /** The provider, command or module that its runner must have. */
  requires?: string | undefined;
  /** How many jobs of its type may run at once over all processes. */
  concurrency?: number | undefined;
  /** Epoch milliseconds. */
  runAt?: number | undefined;
  dependsOn?: readonly string[] | undefined;
  timeoutSeconds?: number | undefined;
  maxAttempts?: number | undefined;
  idempotencyKey?: string | undefined;
  tokenBudget?: number | undefined;
  requestedModel?: string | undefined;
  /** What the submitter should be told about its request. */
  warnings?: readonly string[] | undefined;
  /** The board task that it works on: claimed now, completed or failed with the job. */
  task?: TaskReference | undefined;
  goalId?: number | undefined;
  /** The run that makes it. */
  parentId?: string | undefined;
  project?: string | undefined;
}

export interface Submission {
  row: JobRow;
  /** The idempotency key was known: this is the job of the earlier call. */
  isRepeated: boolean;
}

export const defaultTimeoutSeconds = 1_800;
export const defaultMaxAttempts = 3;

/** Puts a job into the queue. Throws `conflict`, `not_found`, `already_claimed`; then nothing was stored. */
export async function submitJob(sql: Sql, job: NewJob, actor: Actor, clock: Clock): Promise<Submission> {
  const known = job.idempotencyKey === undefined ? undefined : await findRepeated(sql, job, job.idempotencyKey);
  if (known) return { row: known, isRepeated: true };

  const at = clock.now();
  const id = newUuid();
  const dependencies = await openDependencies(sql, job.dependsOn ?? []);
  const task = job.task === undefined ? undefined : await claimTaskForJob(sql, job.task, id, actor, clock);
  const row = await sql.get<JobRow>(
    `insert into jobs (id, type, payload, metadata, priority, requires, concurrency, run_at, unfinished_dependencies,
       timeout_seconds, max_attempts, idempotency_key, token_budget, requested_model, warnings, task_id, task_claim_token,
       goal_id, parent_id, project, submitted_by, created_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning *`,
    id,
    job.type,
    JSON.stringify(job.payload),
    JSON.stringify(job.metadata ?? {}),
    job.priority ?? 5,
    job.requires ?? null,
    job.concurrency ?? null,
    job.runAt ?? at,
    dependencies.filter((dependency) => dependency.status !== 'completed').length,
    job.timeoutSeconds ?? defaultTimeoutSeconds,
    job.maxAttempts ?? defaultMaxAttempts,
    job.idempotencyKey ?? null,
    job.tokenBudget ?? null,
    job.requestedModel ?? null,
    JSON.stringify(job.warnings ?? []),
    task?.id ?? null,
    task?.claim_token ?? null,
    job.goalId ?? task?.goal_id ?? null,
    job.parentId ?? null,
    job.project ?? actor.project,
    actor.holder,
    at,
    at,
  );
  if (!row) throw new Error('An insert returned no row.');
  for (const dependency of dependencies) {
    await sql.run(
      'insert into job_dependencies (job_id, depends_on, is_satisfied) values (?, ?, ?)',
      id,
      dependency.id,
      Number(dependency.status === 'completed'),
    );
  }
  if (job.tokenBudget !== undefined) await setBudget(sql, `job:${id}`, job.tokenBudget, at);
  await recordEvent(sql, { at, actor, subject: 'job', subjectId: id, type: 'submitted', data: { type: job.type } });
  await countSubmitted(sql, job.type);
  return { row, isRepeated: false };
}

/** The job of an earlier call with this key. A key that comes with another request is a mistake, not a repeat. */
async function findRepeated(sql: Sql, job: NewJob, key: string): Promise<JobRow | undefined> {
  const row = await sql.get<JobRow>('select * from jobs where idempotency_key = ?', key);
  if (!row) return undefined;
  if (row.type === job.type && row.payload === JSON.stringify(job.payload)) return row;
  throw new RuntimeError(
    'conflict',
    `The idempotency key ${key} belongs to job ${row.id}, which was submitted with another request.`,
    'Use a new key for a new request; read the earlier one with get_task_result or get_job_status.',
  );
}

async function openDependencies(sql: Sql, ids: readonly string[]): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for (const id of new Set(ids)) {
    const row = await findJob(sql, id);
    if (row.status === 'failed' || row.status === 'cancelled') {
      throw new RuntimeError(
        'conflict',
        `Job ${id}, which this one would wait for, has ${row.status === 'failed' ? 'failed' : 'been cancelled'}.`,
        'Call retry_task with its id first, or leave it out of depends_on.',
      );
    }
    rows.push(row);
  }
  return rows;
}
