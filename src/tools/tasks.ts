import { z } from 'zod';
import { messageOf } from '../base/errors.js';
import { nothingUnread } from '../core/messages/messages.js';
import { listedStates } from '../core/tasks/list-tasks.js';
import type { Runtime } from '../runtime.js';
import { claimInWorktree } from '../services/claim-in-worktree.js';
import { defineTool } from './call/define-tool.js';
import * as field from './call/fields.js';
import { fromCursor, pagedList, pageOutput, projectOf } from './call/page.js';
import { showCost } from './shapes/cost.js';
import {
  areFew,
  createdOutput,
  createSeveral,
  createTask,
  newTask,
  newTaskOfSeveral,
  showCreated,
  taskEdit,
  toTaskFields,
} from './shapes/new-task.js';
import * as task from './shapes/task.js';
import { type ShownWorktree, showDifference } from './shapes/worktree.js';

const workerName = z.string().min(1).max(200).describe('A name for who does it, when a session has several workers.');
const leaseSeconds = z
  .int()
  .min(5)
  .max(604_800)
  .describe(
    'How long the claim lives without a heartbeat. A session renews its own, so less than 60 counts as 60 there.',
  );

/** A worktree with its diff, or why that cannot be read. */
async function withDifference(shown: ShownWorktree | undefined, taskId: number, { worktrees }: Runtime) {
  const row = await worktrees.of({ taskId });
  if (!shown || !row) return shown;
  try {
    return { ...shown, diff: showDifference(await worktrees.difference(row)) };
  } catch (error) {
    return { ...shown, diff_error: messageOf(error) };
  }
}

/** Tasks: create them, hand them out, and bring them to an end. */
export const taskTools = [
  defineTool({
    name: 'create_task',
    title: 'Create a task',
    effect: 'write',
    description: 'Puts one task on the board that all sessions share; create_tasks makes several.',
    input: newTask,
    output: task.taskOutput,
    handler: async (input, { runtime, actor }) =>
      task.showCreatedTask(await createTask(toTaskFields(input), actor, runtime.tasks), runtime.clock.now()),
  }),

  defineTool({
    name: 'create_tasks',
    title: 'Create several tasks',
    effect: 'write',
    description: 'Creates up to 1,000 tasks, all or none: tasks, which may depend on each other, or a stored template.',
    input: z.strictObject({
      tasks: z
        .array(newTaskOfSeveral)
        .min(1)
        .max(1_000)
        .optional()
        .describe('Each as for create_task. Give these or a template.'),
      template: z.string().min(1).max(200).optional().describe('Name of a template; list_task_templates has them.'),
      parameters: z
        .record(z.string(), z.string().max(20_000))
        .optional()
        .describe("Values for the template's parameters, by name."),
      goal_id: field.goalId.optional().describe('The goal of all tasks that name none.'),
    }),
    output: createdOutput.extend({
      /** Ids by key, where they are at most 30. Any key works as an id. */
      keys: z.record(z.string(), z.int()).optional(),
    }),
    handler: async (input, { runtime, actor }) => {
      const created = await createSeveral(input, actor, runtime.tasks);
      const keys = created.flatMap(({ key, id }) => (key === null ? [] : [[key, id] as const]));
      const shownKeys = keys.length > 0 && areFew(created) ? Object.fromEntries(keys) : undefined;
      return { ...showCreated(created.map(({ id }) => id)), keys: shownKeys };
    },
  }),

  defineTool({
    name: 'get_next_task',
    title: 'Get the next task',
    effect: 'read',
    description: 'Shows the most urgent ready task without claiming it, or says why nothing is ready.',
    input: z.strictObject({ goal_id: field.goalId.optional(), scope: field.scope.optional() }),
    output: z.union([task.taskOutput, task.noTaskOutput]),
    handler: async (input, { runtime, actor }) => {
      const within = { goalId: input.goal_id, project: projectOf(actor, input.scope) };
      const next = await runtime.tasks.next(within);
      return next ? task.showTask(next, runtime.clock.now()) : task.showWhy(await runtime.tasks.waitingReasons(within));
    },
  }),

  defineTool({
    name: 'claim_next_task',
    title: 'Claim the next task',
    effect: 'write',
    isEntry: true,
    description:
      'Claims the most urgent ready task for you alone, with results of tasks before it, notes and a claim_token. Next: do it, then update_task_status.',
    input: z.strictObject({
      goal_id: field.goalId.optional().describe('Only tasks of this goal.'),
      worker_id: workerName.optional(),
      lease_seconds: leaseSeconds.optional(),
      scope: field.scope.optional(),
      worktree: field.inWorktree,
    }),
    output: z.union([task.claimedTaskOutput, task.noTaskOutput]),
    handler: async (input, { runtime, actor }) => {
      const within = { goalId: input.goal_id, project: projectOf(actor, input.scope) };
      const request = { workerId: input.worker_id, leaseSeconds: input.lease_seconds };
      const claim = () => runtime.tasks.claimNext(within, request, actor);
      const claimed = await (input.worktree ? claimInWorktree(claim, actor, runtime) : claim());
      if (!claimed) return task.showWhy(await runtime.tasks.waitingReasons(within));
      const unread = claimed.hasMessages ? await runtime.messages.unread(actor, input.worker_id) : nothingUnread;
      return task.showClaimedTask(claimed, runtime.clock.now(), unread);
    },
  }),

  defineTool({
    name: 'update_task_status',
    title: 'Update task status',
    effect: 'write',
    isEntry: true,
    description:
      'Ends a task (completed with a result, failed with an error, cancelled), claims it (in_progress), gives it back or reopens it (pending).',
    input: z.strictObject({
      task_id: field.taskReference,
      status: field.taskStatus.describe('pending, in_progress, completed, failed or cancelled.'),
      result: z.string().max(1_000_000).optional().describe('What was achieved; the tasks after it are shown this.'),
      error: z.string().max(100_000).optional().describe('Why it failed.'),
      claim_token: field.claimToken.optional(),
      tokens_used: z
        .int()
        .min(0)
        .max(1_000_000_000)
        .optional()
        .describe("Tokens it cost; counted against its goal's budget."),
      note: z.string().max(20_000).optional().describe('For its next worker.'),
      worker_id: workerName.optional(),
      lease_seconds: leaseSeconds.optional(),
    }),
    output: task.changedTaskOutput,
    handler: async ({ task_id, claim_token, tokens_used, worker_id, lease_seconds, ...update }, { runtime, actor }) => {
      const claim = { workerId: worker_id, leaseSeconds: lease_seconds };
      const change = { ...update, task: task_id, claimToken: claim_token, tokensUsed: tokens_used, claim };
      return task.showChangedTask(await runtime.tasks.updateStatus(change, actor), runtime.clock.now());
    },
  }),

  defineTool({
    name: 'edit_task',
    title: 'Edit a task',
    effect: 'write',
    isIdempotent: true,
    description: 'Changes fields of a task, as for create_task; null removes a value, dependencies replaces the list.',
    input: z.strictObject({ task_id: field.taskReference, ...taskEdit.shape }),
    output: task.changedTaskOutput,
    handler: async ({ task_id, ...edit }, { runtime, actor }) =>
      task.showChangedTask(await runtime.tasks.edit(task_id, toTaskFields(edit), actor), runtime.clock.now()),
  }),

  defineTool({
    name: 'list_tasks',
    title: 'List tasks',
    effect: 'read',
    description: 'Lists tasks, newest first; get_task has one whole.',
    input: z.strictObject({
      goal_id: field.goalId.optional(),
      status: z.enum(listedStates).optional().describe('Only these; ready and blocked are pending ones.'),
      text: z.string().max(200).optional().describe('Only tasks with this text in their title, key or description.'),
      scope: field.scope.optional(),
      limit: field.limit(50),
      cursor: field.cursor,
      fields: field.fields,
    }),
    output: pageOutput(
      'tasks',
      z.union([task.taskOutput, task.briefTaskOutput.partial({ status: true, priority: true })]),
    ),
    handler: async ({ goal_id: goalId, status, text, scope, ...input }, { runtime, actor }) => {
      const filter = { goalId, status, text, project: projectOf(actor, scope), beforeId: fromCursor(input.cursor) };
      return pagedList('tasks', input, {
        byDefault: 50,
        read: (limit) => runtime.tasks.list({ ...filter, limit }),
        total: () => runtime.tasks.count(filter),
        show: (listed, longestTitle) =>
          input.fields === 'full'
            ? task.showTask(listed, runtime.clock.now())
            : task.showTaskBriefly(listed, runtime.clock.now(), longestTitle),
        placeOf: ({ id }) => id,
        shared: input.fields === 'full' ? [] : ['status', 'priority', 'goal_id'],
        spared: input.fields === 'full' ? [] : ['key'],
      });
    },
  }),

  defineTool({
    name: 'get_task',
    title: 'Get a task',
    effect: 'read',
    description: 'Returns a task whole: neighbours, worker, notes, attempts, why it is not ready.',
    input: z.strictObject({
      task_id: field.taskReference,
      fields: field.fields,
      diff: z.boolean().optional().describe("Also its worktree's diff."),
    }),
    output: task.wholeTaskOutput,
    handler: async (input, { runtime, actor }) => {
      const longest = input.fields === 'full' ? Number.POSITIVE_INFINITY : undefined;
      const whole = await runtime.tasks.get(input.task_id, actor);
      const cost = whole.tokensUsed === 0 ? {} : showCost(await runtime.jobs.costOfTask(whole.id), true);
      const shown = Object.assign(task.showWholeTask(whole, runtime.clock.now(), longest), cost);
      return input.diff ? { ...shown, worktree: await withDifference(shown.worktree, whole.id, runtime) } : shown;
    },
  }),
];
