import { z } from 'zod';
import { ownSource } from '../../core/goals/import-board.js';
import { goalStatuses } from '../../core/tasks/goal.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { failurePolicies, taskStatuses } from '../../core/tasks/task.js';
import { parseJson, readText, type Source, timeOf } from './source.js';

const metadata = z.record(z.string(), z.json());
const time = z.iso.datetime().nullable();

/** What `agent-runtime export` writes. */
export const exportedBoard = z.strictObject({
  format: z.literal('agent-runtime-board'),
  version: z.literal(1),
  goals: z.array(
    z.strictObject({
      id: z.int(),
      name: z.string(),
      description: z.string(),
      status: z.enum(goalStatuses),
      project: z.string(),
      token_budget: z.int().nullable(),
      metadata,
      created_at: z.iso.datetime(),
      completed_at: time,
    }),
  ),
  tasks: z.array(
    z.strictObject({
      id: z.int(),
      key: z.string().nullable(),
      goal_id: z.int().nullable(),
      project: z.string(),
      title: z.string(),
      description: z.string(),
      acceptance: z.string().nullable(),
      expected_output: z.string().nullable(),
      status: z.enum(taskStatuses),
      priority: z.int(),
      dependencies: z.array(z.int()),
      parent_id: z.int().nullable(),
      discovered_from: z.int().nullable(),
      on_dependency_failure: z.enum(failurePolicies),
      max_attempts: z.int(),
      deadline: time,
      not_before: time,
      result: z.string().nullable(),
      error: z.string().nullable(),
      metadata,
      created_at: z.iso.datetime(),
      started_at: time,
      completed_at: time,
    }),
  ),
});

export type ExportedBoard = z.output<typeof exportedBoard>;

/** The board of another database of this program, as `agent-runtime export` wrote it. */
export const ownExport: Source = {
  name: ownSource,
  usual: () => [],
  read(path) {
    const { goals, tasks } = parseJson(readText(path), exportedBoard, path);
    return {
      source: ownSource,
      goals: goals.map((goal) => ({
        id: String(goal.id),
        name: goal.name,
        description: goal.description,
        status: goal.status,
        project: goal.project,
        tokenBudget: goal.token_budget ?? undefined,
        metadata: goal.metadata,
        createdAt: timeOf(goal.created_at),
        completedAt: timeOf(goal.completed_at),
      })),
      tasks: tasks.map(
        (task): ImportedTask => ({
          id: String(task.id),
          key: task.key ?? undefined,
          goal: task.goal_id === null ? undefined : String(task.goal_id),
          project: task.project,
          title: task.title,
          description: task.description,
          acceptance: task.acceptance ?? undefined,
          expectedOutput: task.expected_output ?? undefined,
          status: task.status === 'in_progress' ? 'pending' : task.status,
          priority: task.priority,
          dependencies: task.dependencies.map(String),
          parent: task.parent_id === null ? undefined : String(task.parent_id),
          discoveredFrom: task.discovered_from === null ? undefined : String(task.discovered_from),
          onDependencyFailure: task.on_dependency_failure,
          maxAttempts: task.max_attempts,
          deadlineAt: timeOf(task.deadline),
          notBefore: timeOf(task.not_before),
          result: task.result ?? undefined,
          error: task.error ?? undefined,
          metadata: task.metadata,
          createdAt: timeOf(task.created_at),
          startedAt: task.status === 'in_progress' ? undefined : timeOf(task.started_at),
          completedAt: timeOf(task.completed_at),
        }),
      ),
    };
  },
};
