import { z } from 'zod';
import { cut } from '../base/text.js';
import { plannedTask, strategies } from '../core/goals/plan.js';
import { goalStatuses } from '../core/tasks/goal.js';
import { decomposeGoal, planners } from '../services/decompose-goal.js';
import { decomposeTask } from '../services/decompose-task.js';
import { defineTool } from './call/define-tool.js';
import { claimToken, cursor, fields, goalId, limit, metadata, scope, taskReference } from './call/fields.js';
import { fromCursor, pagedList, pageOutput, projectOf } from './call/page.js';
import { budgetUsd, microsIn } from './shapes/cost.js';
import {
  briefGoalOutput,
  changedGoalOutput,
  goalOutput,
  showChangedGoal,
  showGoal,
  showGoalBriefly,
  showListedGoal,
} from './shapes/goal.js';
import { areFew, createdOutput, showCreated } from './shapes/new-task.js';
import { longestEcho } from './shapes/task.js';

const name = z.string().trim().min(1).max(500).describe('A short name.');
const description = z.string().max(100_000).describe('What is to be reached, and what a planner should know.');
const tokenBudget = z.int().min(0).max(1_000_000_000);

/** Goals and their plans. */
export const goalTools = [
  defineTool({
    name: 'create_goal',
    title: 'Create a goal',
    effect: 'write',
    isEntry: true,
    description: 'Stores a goal that outlives this session, for work of more than one step. Next: decompose_goal.',
    input: z.strictObject({
      name,
      description,
      metadata: metadata.optional(),
      project: z.string().max(1_000).optional().describe("This session's unless given."),
      token_budget: tokenBudget.optional().describe('Most tokens that its background work may use in all.'),
      budget_usd: budgetUsd.optional().describe('Most US dollars likewise.'),
    }),
    output: goalOutput,
    handler: async (input, { runtime, actor }) => {
      const goal = await runtime.goals.create(
        { ...input, tokenBudget: input.token_budget, budgetMicros: microsIn(input.budget_usd) },
        actor,
      );
      return { ...showGoal(goal), description: cut(goal.description, longestEcho) };
    },
  }),

  defineTool({
    name: 'decompose_goal',
    title: 'Decompose a goal',
    effect: 'write',
    isExternal: true,
    description:
      'Breaks a goal into tasks, all or none. Best: your own plan as tasks. Without, a model plans (a slow one returns a task_id for wait_for_tasks), or you get a request to answer.',
    input: z.strictObject({
      goal_id: goalId,
      strategy: z.enum(strategies).default('sequential').describe('hierarchical: in phases.'),
      tasks: z.array(plannedTask).min(1).max(1_000).optional().describe('Your own plan.'),
      planner: z
        .enum(planners)
        .default('auto')
        .describe("auto: tasks if given, else the client's model, a configured one, or you. template: fixed steps."),
      model: z.string().max(200).optional().describe('The model that plans; the configured default unless given.'),
      max_tasks: z.int().min(1).max(100).default(8).describe('At most this many tasks from a model.'),
    }),
    output: z.strictObject({
      goal_id: z.int(),
      strategy: z.enum(strategies),
      planner: z.enum(planners),
      ...createdOutput.partial().shape,
      /** Of at most 30 tasks which wait for which, by id; those that wait for none are left out. */
      dependencies: z.record(z.string(), z.array(z.int())).optional(),
      /** running: the plan is still being made; wait_for_tasks with task_id. */
      status: z.string().optional(),
      task_id: z.string().optional(),
      /** What to think about, and the form to call decompose_goal with. */
      request: z.string().optional(),
      note: z.string().optional(),
    }),
    handler: async (input, context) => {
      const { tasks_created: ids, dependencies, ...decomposed } = await decomposeGoal(input, context);
      if (!ids) return decomposed;
      return { ...decomposed, ...showCreated(ids), dependencies: areFew(ids) ? dependencies : undefined };
    },
  }),

  defineTool({
    name: 'decompose_task',
    title: 'Decompose a task',
    effect: 'write',
    isExternal: true,
    description:
      'Breaks a task that is too large into subtasks, planned as for decompose_goal. It waits for them and is done when they are; cancelling it cancels them. A claim on it ends.',
    input: z.strictObject({
      task_id: taskReference,
      tasks: z.array(plannedTask).min(1).max(1_000).optional().describe('Your own plan.'),
      strategy: z.enum(strategies).default('sequential').describe('As for decompose_goal.'),
      model: z.string().max(200).optional().describe('The model that plans; the configured default unless given.'),
      max_tasks: z.int().min(1).max(100).default(8).describe('At most this many subtasks from a model.'),
      claim_token: claimToken.optional(),
    }),
    output: z.strictObject({
      task_id: z.int(),
      ...createdOutput.partial().shape,
      /** The ids of its new subtasks, in the order of the plan, where they are at most 30. */
      subtasks: z.array(z.int()).optional(),
      /** running: the plan is still being made; wait_for_tasks with job_id. */
      status: z.literal('running').optional(),
      job_id: z.string().optional(),
      /** What to think about, and the form to call decompose_task with. */
      request: z.string().optional(),
      note: z.string().optional(),
    }),
    handler: async (input, context) => {
      const { subtasks: parts, ...decomposed } = await decomposeTask(input, context);
      if (!parts) return decomposed;
      const { tasks_created: subtasks, ...created } = showCreated(parts);
      return { ...decomposed, ...created, subtasks };
    },
  }),

  defineTool({
    name: 'update_goal',
    title: 'Update a goal',
    effect: 'write',
    isIdempotent: true,
    description: 'Changes a goal: cancelled cancels its open tasks, active reopens it.',
    input: z.strictObject({
      goal_id: goalId,
      name: name.optional(),
      description: description.optional(),
      metadata: metadata.optional(),
      token_budget: tokenBudget.nullable().optional().describe('null removes it.'),
      budget_usd: budgetUsd.nullable().optional().describe('null removes it.'),
      status: z.enum(goalStatuses).optional().describe('active, completed or cancelled.'),
    }),
    output: changedGoalOutput,
    handler: async ({ goal_id, token_budget, budget_usd, ...edit }, { runtime, actor }) => {
      const budgets = { tokenBudget: token_budget, budgetMicros: microsIn(budget_usd) };
      return showChangedGoal(await runtime.goals.edit(goal_id, { ...edit, ...budgets }, actor));
    },
  }),

  defineTool({
    name: 'list_goals',
    title: 'List goals',
    effect: 'read',
    description: 'Lists goals with their progress, newest first.',
    input: z.strictObject({
      status: z.enum(goalStatuses).optional().describe('Only goals of this status.'),
      scope: scope.optional(),
      limit: limit(50),
      cursor,
      fields,
    }),
    output: pageOutput('goals', z.union([goalOutput, briefGoalOutput.partial({ status: true })])),
    handler: async ({ status, scope, ...input }, { runtime, actor }) => {
      const filter = { status, project: projectOf(actor, scope), beforeId: fromCursor(input.cursor) };
      return pagedList('goals', input, {
        byDefault: 50,
        read: (limit) => runtime.goals.list({ ...filter, limit }),
        total: () => runtime.goals.count(filter),
        show: (goal, longestLine) =>
          input.fields === 'full' ? showListedGoal(goal) : showGoalBriefly(goal, longestLine),
        placeOf: ({ id }) => id,
        shared: input.fields === 'full' ? [] : ['status'],
      });
    },
  }),

  defineTool({
    name: 'get_goal',
    title: 'Get a goal',
    effect: 'read',
    description: 'Returns a goal: its tasks by state, tokens, and the longest chain of open tasks.',
    input: z.strictObject({ goal_id: goalId, fields }),
    output: goalOutput,
    handler: async (input, { runtime }) =>
      showGoal(await runtime.goals.get(input.goal_id), input.fields === 'full' ? Number.POSITIVE_INFINITY : undefined),
  }),
];
