import type { JsonObject } from '../../../base/json.js';
import type { Connection } from '../connection.js';
import { arrayOf, inserter, integerOf, numberOf, objectOf, textOf, timeOf, unreadable, wordOf } from './read.js';
import type { LegacyRow } from './tables.js';

export function adoptGoals(connection: Connection, goals: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'goals');
  for (const goal of goals) {
    const status = wordOf(['active', 'completed', 'cancelled'], goal.status);
    insert({
      id: integerOf(goal.id, null),
      name: textOf(goal.name) ?? '',
      description: textOf(goal.description) ?? '',
      status: status ?? 'active',
      metadata: metadataWith(goal, { legacy_status: status ? undefined : textOf(goal.status) }),
      created_at: timeOf(goal.created_at) ?? now,
      updated_at: timeOf(goal.updated_at) ?? now,
      completed_at: timeOf(goal.completed_at),
    });
  }
}

const taskStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
type TaskStatus = (typeof taskStatuses)[number];

/** A claim of the earlier server is never renewed. It expires after this long, and the task becomes ready again. */
const adoptedLeaseMs = 15 * 60_000;

export function adoptTasks(connection: Connection, tasks: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'tasks');
  const goals = new Set(connection.prepare('select id from goals').pluck().all());
  const statuses = new Map(tasks.map((task) => [integerOf(task.id, 0), wordOf(taskStatuses, task.status)]));
  for (const task of tasks) {
    const id = integerOf(task.id, 0);
    const status = statuses.get(id) ?? 'pending';
    const isClaimed = status === 'in_progress';
    const priority = Math.min(10, Math.max(1, integerOf(task.priority, 5)));
    const goalId = integerOf(task.goal_id, null);
    const dropped = dependenciesOf(task).filter((dependency) => dependency === id || !statuses.has(dependency));
    insert({
      id,
      goal_id: goals.has(goalId) ? goalId : null,
      title: textOf(task.title) ?? '',
      description: textOf(task.description) ?? '',
      status,
      priority,
      attempts: isClaimed ? 1 : 0,
      claimed_by: isClaimed ? 'earlier server' : null,
      claim_token: isClaimed ? 1 : 0,
      lease_expires_at: isClaimed ? now + adoptedLeaseMs : null,
      result: textOf(task.result),
      error: textOf(task.error),
      metadata: metadataWith(task, {
        legacy_status: statuses.get(id) ? undefined : textOf(task.status),
        legacy_priority: numberOf(task.priority, null) === priority ? undefined : cellOf(task.priority),
        legacy_goal_id: goals.has(goalId) ? undefined : cellOf(task.goal_id),
        legacy_missing_dependencies: dropped.length > 0 ? dropped : undefined,
        legacy_dependencies: unreadable(task.dependencies, 'array'),
      }),
      created_at: timeOf(task.created_at) ?? now,
      updated_at: timeOf(task.updated_at) ?? now,
      started_at: timeOf(task.started_at),
      completed_at: timeOf(task.completed_at),
    });
  }
  adoptDependencies(connection, tasks, statuses);
}

/**
 * The earlier server counted a missing id as done, and a task that depends on itself never became ready. Both edges are
 * dropped here and named in the metadata. A cycle stays: its tasks wait for each other.
 */
function adoptDependencies(
  connection: Connection,
  tasks: readonly LegacyRow[],
  statuses: ReadonlyMap<number, TaskStatus | undefined>,
): void {
  const insert = inserter(connection, 'task_dependencies');
  for (const task of tasks) {
    const id = integerOf(task.id, 0);
    for (const dependency of dependenciesOf(task)) {
      if (dependency === id || !statuses.has(dependency)) continue;
      insert({ task_id: id, depends_on: dependency, state: edgeState(statuses.get(dependency)) });
    }
  }
  connection.exec(`
    update tasks set
      unfinished_dependencies =
        (select count(*) from task_dependencies d where d.task_id = tasks.id and d.state <> 'satisfied'),
      failed_dependencies =
        (select count(*) from task_dependencies d where d.task_id = tasks.id and d.state = 'failed')`);
}

function edgeState(status: TaskStatus | undefined): 'waiting' | 'satisfied' | 'failed' {
  if (status === 'completed') return 'satisfied';
  return status === 'failed' || status === 'cancelled' ? 'failed' : 'waiting';
}

/** Each id once: numbers, or text of digits. */
function dependenciesOf(task: LegacyRow): number[] {
  const ids = arrayOf(task.dependencies).map((item) =>
    typeof item === 'number' || (typeof item === 'string' && /^\d+$/.test(item)) ? Number(item) : Number.NaN,
  );
  return [...new Set(ids.filter(Number.isInteger))];
}

/** The value of a column as JSON. */
function cellOf(cell: unknown): string | number | null {
  return numberOf(cell, null) ?? textOf(cell);
}

/** The row's own metadata, with the values that our tables have no column for. */
function metadataWith(row: LegacyRow, lost: Record<string, JsonObject[string] | null | undefined>): string {
  const kept = Object.entries({ ...lost, legacy_metadata: unreadable(row.metadata, 'object') });
  return JSON.stringify({
    ...objectOf(row.metadata),
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined && value !== null)),
  });
}
