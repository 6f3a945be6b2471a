import type { JsonObject } from '../../base/json.js';
import type { Connection } from '../driver.js';
import { arrayOf, inserter, objectOf, oneOf, parseLegacyTime } from './read.js';

export interface LegacyGoal {
  id: number;
  name: string;
  description: string | null;
  status: string | null;
  created_at: string | null;
  updated_at: string | null;
  completed_at: string | null;
  metadata: string | null;
}

export function adoptGoals(connection: Connection, goals: LegacyGoal[], now: number): void {
  const insert = inserter(connection, 'goals');
  for (const goal of goals) {
    insert({
      id: goal.id,
      name: goal.name,
      description: goal.description ?? '',
      status: oneOf(['active', 'completed', 'cancelled'], goal.status, 'active'),
      metadata: JSON.stringify(objectOf(goal.metadata)),
      created_at: parseLegacyTime(goal.created_at) ?? now,
      updated_at: parseLegacyTime(goal.updated_at) ?? now,
      completed_at: parseLegacyTime(goal.completed_at),
    });
  }
}

export interface LegacyTask {
  id: number;
  goal_id: number | null;
  title: string;
  description: string | null;
  status: string | null;
  priority: number | null;
  dependencies: string | null;
  created_at: string | null;
  updated_at: string | null;
  started_at: string | null;
  completed_at: string | null;
  result: string | null;
  error: string | null;
  metadata: string | null;
}

const taskStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;

/** Nobody renews a claim of the earlier server; it lapses after this long and the task becomes ready again. */
const adoptedLeaseMs = 15 * 60_000;

export function adoptTasks(connection: Connection, tasks: LegacyTask[], now: number): void {
  const insert = inserter(connection, 'tasks');
  const known = new Set(tasks.map((task) => task.id));
  const goals = new Set(connection.prepare('select id from goals').pluck().all());
  for (const task of tasks) {
    const isClaimed = task.status === 'in_progress';
    const priority = Math.trunc(task.priority ?? 5);
    const kept = Math.min(10, Math.max(1, priority));
    const missing = dependenciesOf(task).filter((id) => !known.has(id) || id === task.id);
    const lost: JsonObject = {
      ...(kept === priority ? {} : { legacy_priority: priority }),
      ...(missing.length === 0 ? {} : { legacy_missing_dependencies: missing }),
      ...(task.goal_id === null || goals.has(task.goal_id) ? {} : { legacy_goal_id: task.goal_id }),
    };
    insert({
      id: task.id,
      goal_id: goals.has(task.goal_id) ? task.goal_id : null,
      title: task.title,
      description: task.description ?? '',
      status: oneOf(taskStatuses, task.status, 'pending'),
      priority: kept,
      attempts: isClaimed ? 1 : 0,
      claimed_by: isClaimed ? 'earlier server' : null,
      claim_token: isClaimed ? 1 : 0,
      lease_expires_at: isClaimed ? now + adoptedLeaseMs : null,
      result: task.result,
      error: task.error,
      metadata: JSON.stringify({ ...objectOf(task.metadata), ...lost }),
      created_at: parseLegacyTime(task.created_at) ?? now,
      updated_at: parseLegacyTime(task.updated_at) ?? now,
      started_at: parseLegacyTime(task.started_at),
      completed_at: parseLegacyTime(task.completed_at),
    });
  }
  adoptDependencies(connection, tasks, known);
}

/** The earlier server counted a missing id as met, and so its edge is dropped here and named in the metadata. */
function adoptDependencies(connection: Connection, tasks: LegacyTask[], known: ReadonlySet<number>): void {
  const insert = inserter(connection, 'task_dependencies');
  const states = new Map(tasks.map((task) => [task.id, edgeState(task.status)]));
  for (const task of tasks) {
    for (const dependency of new Set(dependenciesOf(task))) {
      if (dependency === task.id || !known.has(dependency)) continue;
      insert({ task_id: task.id, depends_on: dependency, state: states.get(dependency) ?? 'waiting' });
    }
  }
  connection.exec(`
    update tasks set
      unfinished_dependencies =
        (select count(*) from task_dependencies d where d.task_id = tasks.id and d.state <> 'satisfied'),
      failed_dependencies =
        (select count(*) from task_dependencies d where d.task_id = tasks.id and d.state = 'failed')`);
}

function edgeState(status: string | null): 'waiting' | 'satisfied' | 'failed' {
  if (status === 'completed') return 'satisfied';
  return status === 'failed' || status === 'cancelled' ? 'failed' : 'waiting';
}

function dependenciesOf(task: LegacyTask): number[] {
  return arrayOf<unknown>(task.dependencies).map(Number).filter(Number.isInteger);
}
