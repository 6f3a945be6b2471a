import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newJobId } from '../../base/ids.js';
import type { Json, JsonObject } from '../../base/json.js';
import type { Micros } from '../../base/money.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import { type Actor, recordedName } from '../actor.js';
import { setBudget, setMoneyBudget } from '../budget/ledger.js';
import { recordEvent } from '../events/events.js';
import { countSubmitted } from '../metrics/counters.js';
import type { FailurePolicy, TaskReference } from '../tasks/task.js';
import { claimTaskForJob } from './board-task.js';
import { hasEnded, type JobRow } from './job.js';
import { laneOf } from './lane.js';
import { queueAt } from './queue-order.js';
import { findJob } from './read-jobs.js';
import { findUnique } from './unique-key.js';

export interface NewJob {
  type: string;
  /** Checked by its agent's schema before. */
  payload: Json;
  metadata?: JsonObject | undefined;
  priority?: number | undefined;
  /** The provider, command or module that its runner must have, as `Capabilities.provides` names it. */
  requires?: string | undefined;
  /** What the worker must have that takes it, such as gpu. */
  needs?: string | undefined;
  /** How many jobs of its type may run at once, over all processes. */
  concurrency?: number | undefined;
  /** Of the jobs with this key at most `concurrencyLimit` run at once, over all processes; one unless given. */
  concurrencyKey?: string | undefined;
  concurrencyLimit?: number | undefined;
  /** Not submitted while another job of its project with this key is pending or running. */
  uniqueKey?: string | undefined;
  /** Not started before this time. */
  runAt?: EpochMs | undefined;
  /** Not started before this long from now, milliseconds; a clock that is set meanwhile does not change it. */
  delayMs?: number | undefined;
  dependsOn?: readonly string[] | undefined;
  /** What becomes of it when one of those does not complete; `cancel` unless given. */
  onDependencyFailure?: FailurePolicy | undefined;
  timeoutSeconds?: number | undefined;
  maxAttempts?: number | undefined;
  idempotencyKey?: string | undefined;
  tokenBudget?: number | undefined;
  requestedModel?: string | undefined;
  /** The most that its model calls may cost over all tries. */
  budgetMicros?: Micros | undefined;
  /** Warnings for the submitter about its request. */
  warnings?: readonly string[] | undefined;
  /** The board task that it works on. It is claimed now, and ends with the job. */
  task?: TaskReference | undefined;
  goalId?: number | undefined;
  /** The run that submits it. */
  parentId?: string | undefined;
  /** The sweep that it is one of. */
  sweep?: string | undefined;
  project?: string | undefined;
}

export interface Submission {
  row: JobRow;
  /** The idempotency key was known, or the unique key is taken, and `row` is the job of the earlier call. */
  isRepeated: boolean;
}

export const defaultTimeoutSeconds = 1_800;
export const defaultMaxAttempts = 3;

/**
 * Puts a job into the queue. Throws `conflict` for an idempotency key of another request, for a dependency that did not
 * complete and for a task that cannot be claimed, `already_claimed` for one that is, and `not_found`. Nothing is stored
 * then.
 */
export async function submitJob(sql: Sql, job: NewJob, actor: Actor, clock: Clock): Promise<Submission> {
  const known = job.idempotencyKey === undefined ? undefined : await findRepeated(sql, job, job.idempotencyKey);
  if (known) return { row: known, isRepeated: true };
  const project = job.project ?? actor.project;
  const open = job.uniqueKey === undefined ? undefined : await findUnique(sql, project, job.uniqueKey);
  if (open) return { row: open, isRepeated: true };

  const at = clock.now();
  const id = newJobId();
  const policy = job.onDependencyFailure ?? 'cancel';
  const dependencies = await openDependencies(sql, job.dependsOn ?? [], policy);
  const isSatisfied = ({ status }: JobRow) => status === 'completed' || (policy === 'run' && hasEnded(status));
  const task = job.task === undefined ? undefined : await claimTaskForJob(sql, job.task, id, actor, clock);
  const priority = job.priority ?? 5;
  const start = startOf(job, at, clock);
  const row = await insertRow<JobRow>(sql, 'jobs', {
    id,
    type: job.type,
    payload: JSON.stringify(job.payload),
    metadata: JSON.stringify(job.metadata ?? {}),
    priority,
    requires: job.requires ?? null,
    needs: job.needs ?? null,
    concurrency: job.concurrency ?? null,
    concurrency_key: job.concurrencyKey ?? null,
    concurrency_limit: job.concurrencyKey === undefined ? null : (job.concurrencyLimit ?? 1),
    unique_key: job.uniqueKey ?? null,
    lane: laneOf(job.type, job.requires),
    ...start,
    queue_at: queueAt(priority, start.run_at),
    unfinished_dependencies: dependencies.filter((dependency) => !isSatisfied(dependency)).length,
    on_dependency_failure: policy,
    timeout_seconds: job.timeoutSeconds ?? defaultTimeoutSeconds,
    max_attempts: job.maxAttempts ?? defaultMaxAttempts,
    idempotency_key: job.idempotencyKey ?? null,
    token_budget: job.tokenBudget ?? null,
    budget_micros: job.budgetMicros ?? null,
    requested_model: job.requestedModel ?? null,
    warnings: JSON.stringify(job.warnings ?? []),
    task_id: task?.id ?? null,
    task_claim_token: task?.claim_token ?? null,
    goal_id: job.goalId ?? task?.goal_id ?? null,
    parent_id: job.parentId ?? null,
    sweep: job.sweep ?? null,
    project,
    submitted_by: recordedName(actor),
    created_at: at,
    updated_at: at,
  });
  for (const dependency of dependencies) {
    await sql.run(
      'insert into job_dependencies (job_id, depends_on, is_satisfied) values (?, ?, ?)',
      id,
      dependency.id,
      Number(isSatisfied(dependency)),
    );
  }
  if (job.tokenBudget !== undefined) await setBudget(sql, `job:${id}`, job.tokenBudget, at);
  if (job.budgetMicros !== undefined) await setMoneyBudget(sql, `job:${id}`, job.budgetMicros, at);
  await recordEvent(sql, { at, actor, subject: 'job', subjectId: id, type: 'submitted', data: { type: job.type } });
  await countSubmitted(sql, job.type);
  return { row, isRepeated: false };
}

/** When a job is due. Work for now is due whatever the clock of another process says. */
function startOf({ runAt, delayMs }: NewJob, at: EpochMs, clock: Clock) {
  if (runAt !== undefined && delayMs !== undefined) {
    throw new RuntimeError('invalid', 'run_at and delay_seconds both say when to start.', 'Give one of them.');
  }
  if (delayMs === undefined)
    return { run_at: runAt ?? at, run_tick: runAt === undefined ? 0 : null, run_boot_id: null };
  return { run_at: at + delayMs, run_tick: clock.tick() + delayMs, run_boot_id: clock.bootId };
}

/** The job of an earlier call with this key. Throws `conflict` when that call was another request. */
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

/** Throws `conflict` for one that did not complete, where the job would be cancelled or skipped at once. */
async function openDependencies(sql: Sql, ids: readonly string[], policy: FailurePolicy): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for (const id of new Set(ids)) {
    const row = await findJob(sql, id);
    const isOver = row.status === 'failed' || row.status === 'cancelled';
    if (isOver && policy !== 'run' && policy !== 'block') {
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
