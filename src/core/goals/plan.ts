import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { createTasks, type NewTask } from '../tasks/create-tasks.js';
import { dependencyOrder } from '../tasks/dependencies.js';
import type { Goal } from '../tasks/goal.js';
import type { TaskRow } from '../tasks/task.js';

export const strategies = ['sequential', 'parallel', 'hierarchical'] as const;
export type Strategy = (typeof strategies)[number];

/** One task of a plan, as a client, a model or a fixed plan gives it. */
export const plannedTask = z.strictObject({
  title: z.string().min(1).max(300).describe('What is to be done, as an instruction.'),
  description: z.string().max(20_000).optional().describe('What whoever does it needs to know.'),
  priority: z.int().min(1).max(10).optional().describe('1 to 10, 10 first.'),
  depends_on: z
    .array(z.union([z.string(), z.int().min(0).max(1_000)]))
    .max(100)
    .optional()
    .describe('Titles of tasks of this plan that come first, or their places from 0.'),
  acceptance: z.string().max(5_000).optional().describe('Acceptance criteria: when it is done.'),
});
export type PlannedTask = z.output<typeof plannedTask>;

export interface Plan {
  goalId?: number | undefined;
  /** The task that these are parts of: they take its goal, project and policy, and the first wait for what it waits for. */
  whole?: (TaskRow & { dependencies: readonly number[] }) | undefined;
  strategy: Strategy;
  tasks: readonly PlannedTask[];
}

/**
 * Creates the tasks of a plan in its goal, all or none. Resolves to the rows in the order of the plan. Throws `invalid`
 * for a dependency that is not in the plan, `dependency_cycle`, `conflict` for a cancelled goal.
 */
export async function applyPlan(sql: Sql, plan: Plan, change: Change): Promise<TaskRow[]> {
  const dependencies = plan.tasks.map((task, index) => dependenciesOf(plan, task, index));
  const order = dependencyOrder(dependencies, (index) => `"${plan.tasks[index]?.title}"`);
  const created = new Map<number, TaskRow>();
  for (const index of order) {
    const planned = plan.tasks[index];
    if (!planned) continue;
    const own = (dependencies[index] ?? []).flatMap((dependency) => created.get(dependency)?.id ?? []);
    const task: NewTask = {
      goalId: plan.goalId,
      ...inherited(plan),
      title: planned.title,
      description: planned.description,
      acceptance: planned.acceptance,
      priority: planned.priority ?? plan.whole?.priority ?? priorityAt(plan, index),
      dependencies: own.length === 0 ? plan.whole?.dependencies : own,
    };
    const [row] = await createTasks(sql, [task], change);
    if (row) created.set(index, row);
  }
  return plan.tasks.flatMap((_, index) => created.get(index) ?? []);
}

function inherited({ whole }: Plan): Partial<NewTask> {
  if (!whole) return {};
  const { id, goal_id, project, on_dependency_failure } = whole;
  return { parentId: id, goalId: goal_id ?? undefined, project, onDependencyFailure: on_dependency_failure };
}

/** Which tasks of an applied plan wait for which, by id; tasks that wait for none are left out. */
export function planEdges(plan: Plan, rows: readonly Pick<TaskRow, 'id'>[]): Record<number, number[]> {
  const edges = plan.tasks.map((task, index): [number, number[]] => [
    rows[index]?.id ?? 0,
    dependenciesOf(plan, task, index).flatMap((place) => rows[place]?.id ?? []),
  ]);
  return Object.fromEntries(edges.filter(([, dependencies]) => dependencies.length > 0));
}

/**
 * The dependencies of a task. A plan that says nothing of them gets those of its strategy: a sequence, or none. One whose
 * tasks all say `depends_on: []` has said that they are independent.
 */
function dependenciesOf({ tasks, strategy }: Plan, task: PlannedTask, index: number): number[] {
  if (tasks.some((other) => other.depends_on !== undefined)) {
    return (task.depends_on ?? []).map((reference) => indexOf(tasks, reference, task));
  }
  return strategy === 'parallel' || index === 0 ? [] : [index - 1];
}

function indexOf(tasks: readonly PlannedTask[], reference: string | number, task: PlannedTask): number {
  const wanted = String(reference).trim().toLowerCase();
  const named = [...tasks.entries()].filter(([, { title }]) => title.trim().toLowerCase() === wanted);
  const [only] = typeof reference === 'string' ? named : [];
  if (only && named.length > 1) {
    throw new RuntimeError(
      'invalid',
      `"${task.title}" depends on ${JSON.stringify(reference)}, which is the title of ${named.length} tasks of this plan.`,
      'Give each task its own title, or name it by its place counted from 0.',
    );
  }
  if (only) return only[0];
  const index = /^\d+$/.test(wanted) ? Number(wanted) : -1;
  if (index >= 0 && index < tasks.length) return index;
  throw new RuntimeError(
    'invalid',
    `"${task.title}" depends on ${JSON.stringify(reference)}, which is not in this plan of ${tasks.length} tasks.`,
    'Use the exact title of another task of the plan, or its place counted from 0.',
  );
}

/** The earlier tasks of a sequence are more urgent; those of a parallel plan are equally so. */
function priorityAt({ strategy }: Plan, index: number): number {
  return strategy === 'parallel' ? 5 : Math.max(1, 10 - index);
}

/** Plans that need no model. They fit any goal, and so say little about it. */
const fixedPlans: Record<Strategy, readonly Required<Pick<PlannedTask, 'title' | 'description' | 'priority'>>[]> = {
  sequential: [
    { title: 'Research requirements for: ', description: 'Gather the information that is needed.', priority: 10 },
    { title: 'Plan approach for: ', description: 'Write down the steps of the implementation.', priority: 9 },
    { title: 'Implement: ', description: 'Do what was planned.', priority: 8 },
    { title: 'Test: ', description: 'Show that it works as required.', priority: 7 },
    { title: 'Document: ', description: 'Describe it for those who will use it.', priority: 6 },
  ],
  parallel: [
    { title: 'Backend work for: ', description: 'Everything on the server side.', priority: 10 },
    { title: 'Frontend work for: ', description: 'Everything that users see.', priority: 10 },
    { title: 'Testing for: ', description: 'Tests of both sides.', priority: 10 },
  ],
  hierarchical: [
    { title: 'Phase 1: Foundation for ', description: 'What everything else stands on.', priority: 10 },
    { title: 'Phase 2: Core implementation for ', description: 'The main functions.', priority: 9 },
    { title: 'Phase 3: Integration for ', description: 'The parts put together.', priority: 8 },
    { title: 'Phase 4: Optimization for ', description: 'Faster, simpler, more robust.', priority: 7 },
  ],
};

/** The fixed plan of a strategy; each title ends with the goal's name. */
export function templatePlan(strategy: Strategy, goal: Pick<Goal, 'name' | 'description'>): PlannedTask[] {
  return fixedPlans[strategy].map(({ title, description, priority }) => ({
    title: `${title}${goal.name}`.slice(0, 300),
    description: `${description}\n\n${goal.description}`.trim(),
    priority,
  }));
}
