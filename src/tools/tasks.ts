import { z } from 'zod';
import { defineTool } from './call/define-tool.js';
import * as field from './call/fields.js';
import { fromCursor, rowsFor, toPage } from './call/page.js';
import { projectOf } from './call/project.js';
import { createSeveral, newTask, taskKey, toNewTask } from './shapes/new-task.js';
import {
  briefTaskOutput,
  dependencyResults,
  showClaimedTask,
  showTask,
  showTaskBriefly,
  taskOutput,
} from './shapes/task.js';
import { showWhy, whyOutput } from './shapes/waiting-reasons.js';

/** A task, or why there is none. */
const taskOrWhy = taskOutput.partial().extend({ message: z.string().optional(), why: whyOutput.optional() });

const workerName = z.string().min(1).max(200).describe('A name for who does it, when a session has several workers.');
const leaseSeconds = z
  .int()
  .min(5)
  .max(604_800)
  .describe("How long the claim lives without a heartbeat; a session's own is renewed by itself.");

/** Tasks: made, handed out, and brought to an end. */
export const taskTools = [
  defineTool({
    name: 'create_task',
    title: 'Create a task',
    effect: 'write',
    description:
      'Puts one task on the board that all sessions share. For several at once use create_tasks. Unknown dependencies ' +
      'and cycles are refused. Next: claim_next_task, or update_task_status to start this one.',
    input: newTask,
    output: taskOutput,
    handler: async (input, { runtime, actor }) => {
      const [task] = await runtime.tasks.create([toNewTask(input)], actor);
      if (!task) throw new Error('A task that was just created is gone.');
      return showTask(task, runtime.clock.now());
    },
  }),

  defineTool({
    name: 'create_tasks',
    title: 'Create several tasks',
    effect: 'write',
    description:
      'Creates up to 1,000 tasks in one step, all or none: those given, which may depend on each other by key in any order, ' +
      'or those of a stored template with its parameters filled in. Next: claim_next_task.',
    input: z.strictObject({
      tasks: z
        .array(newTask)
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
    output: z.object({
      tasks_created: z.array(z.int()),
      count: z.int(),
      keys: z.record(z.string(), z.int()).optional().describe('Ids by key.'),
    }),
    handler: async (input, { runtime, actor }) => {
      const created = await createSeveral(input, actor, runtime.tasks);
      const keys = Object.fromEntries(created.flatMap((task) => (task.key === null ? [] : [[task.key, task.id]])));
      const ids = created.map((task) => task.id);
      return { tasks_created: ids, count: ids.length, keys: Object.keys(keys).length > 0 ? keys : undefined };
    },
  }),

  defineTool({
    name: 'get_next_task',
    title: 'Look at the next task',
    effect: 'read',
    description:
      'The ready task that should be done next: highest priority first, overdue before others, then the oldest. It only ' +
      'looks: another session may take it. To work on it use claim_next_task. With nothing ready it says why.',
    input: z.strictObject({ goal_id: field.goalId.optional(), scope: field.scope.optional() }),
    output: taskOrWhy,
    handler: async (input, { runtime, actor }) => {
      const within = { goalId: input.goal_id, project: projectOf(actor, input.scope) };
      const task = await runtime.tasks.next(within);
      return task ? showTask(task, runtime.clock.now()) : showWhy(await runtime.tasks.waitingReasons(within));
    },
  }),

  defineTool({
    name: 'claim_next_task',
    title: 'Claim the next task',
    effect: 'write',
    isEntry: true,
    description:
      'Takes the next ready task for you, in one step, so that no two sessions get the same one. Returns it with the ' +
      'results of the tasks before it and a claim_token. Your session keeps the claim alive by itself. When done, call ' +
      'update_task_status with completed and a result, or failed and an error.',
    input: z.strictObject({
      goal_id: field.goalId.optional().describe('Only tasks of this goal.'),
      worker_id: workerName.optional(),
      lease_seconds: leaseSeconds.optional(),
      scope: field.scope.optional(),
    }),
    output: taskOrWhy.extend({ claim_token: z.int().optional(), dependency_results: dependencyResults.optional() }),
    handler: async (input, { runtime, actor }) => {
      const within = { goalId: input.goal_id, project: projectOf(actor, input.scope) };
      const claim = { workerId: input.worker_id, leaseSeconds: input.lease_seconds };
      const task = await runtime.tasks.claimNext(within, claim, actor);
      return task ? showClaimedTask(task, runtime.clock.now()) : showWhy(await runtime.tasks.waitingReasons(within));
    },
  }),

  defineTool({
    name: 'update_task_status',
    title: 'Move a task on',
    effect: 'write',
    isEntry: true,
    description:
      'Moves a task: in_progress claims it, completed wakes those that wait for it, failed applies their policy, ' +
      'cancelled takes it off the board, pending gives it back (or reopens a failed one). Illegal steps and outdated ' +
      'claims are refused and change nothing. A result or error left out leaves the stored one. Next: claim_next_task.',
    input: z.strictObject({
      task_id: field.taskReference,
      status: field.taskStatus.describe('pending, in_progress, completed, failed or cancelled.'),
      result: z.string().max(1_000_000).optional().describe('What came of it; the tasks after it are shown this.'),
      error: z.string().max(100_000).optional().describe('Why it failed.'),
      claim_token: field.claimToken.optional(),
      tokens_used: z
        .int()
        .min(0)
        .max(1_000_000_000)
        .optional()
        .describe("Tokens it cost; counted against its goal's budget."),
      note: z.string().max(20_000).optional().describe('Kept in its history.'),
      worker_id: workerName.optional(),
      lease_seconds: leaseSeconds.optional(),
    }),
    output: taskOutput.extend({ claim_token: z.int().optional() }),
    handler: async ({ task_id, claim_token, tokens_used, worker_id, lease_seconds, ...update }, { runtime, actor }) => {
      const claim = { workerId: worker_id, leaseSeconds: lease_seconds };
      const task = await runtime.tasks.updateStatus(
        { ...update, task: task_id, claimToken: claim_token, tokensUsed: tokens_used, claim },
        actor,
      );
      const shown = showTask(task, runtime.clock.now());
      return task.status === 'in_progress' ? { ...shown, claim_token: task.claimToken } : shown;
    },
  }),

  defineTool({
    name: 'edit_task',
    title: 'Edit a task',
    effect: 'write',
    isIdempotent: true,
    description:
      'Changes any field of a task but its status. dependencies replaces the whole list and needs a pending task. null ' +
      'takes a value away.',
    input: z.strictObject({
      task_id: field.taskReference,
      title: newTask.shape.title.optional(),
      key: taskKey.nullable().optional(),
      description: newTask.shape.description,
      acceptance: newTask.shape.acceptance.nullable(),
      priority: field.priority.optional(),
      goal_id: field.goalId.nullable().optional(),
      dependencies: field.taskReferences.optional(),
      metadata: field.metadata.optional(),
      deadline: field.time.nullable().optional(),
      not_before: field.time.nullable().optional(),
      max_attempts: newTask.shape.max_attempts,
      on_dependency_failure: field.failurePolicy.optional(),
    }),
    output: taskOutput,
    handler: async (input, { runtime, actor }) => {
      const { task_id, goal_id, deadline, not_before, max_attempts, on_dependency_failure, ...edit } = input;
      const changes = {
        ...edit,
        goalId: goal_id,
        deadlineAt: field.toMs(deadline),
        notBefore: field.toMs(not_before),
        maxAttempts: max_attempts,
        onDependencyFailure: on_dependency_failure,
      };
      return showTask(await runtime.tasks.edit(task_id, changes, actor), runtime.clock.now());
    },
  }),

  defineTool({
    name: 'list_tasks',
    title: 'List tasks',
    effect: 'read',
    description:
      'Tasks on the board, newest first, in brief unless fields is full. Next: get_task for one, claim_next_task to work.',
    input: z.strictObject({
      goal_id: field.goalId.optional(),
      status: field.taskStatus.optional().describe('Only tasks of this status.'),
      text: z.string().max(200).optional().describe('Only tasks with this text in their title, key or description.'),
      scope: field.scope.optional(),
      limit: field.limit(50),
      cursor: field.cursor,
      fields: field.fields,
    }),
    output: z.object({
      tasks: z.array(z.union([taskOutput, briefTaskOutput])),
      count: z.int(),
      next_cursor: z.string().optional(),
    }),
    handler: async (input, { runtime, actor }) => {
      const wishes = { limit: input.limit, byDefault: 50 };
      const { status, text } = input;
      const within = { goalId: input.goal_id, project: projectOf(actor, input.scope) };
      const tasks = await runtime.tasks.list({
        ...within,
        status,
        text,
        beforeId: fromCursor(input.cursor),
        limit: rowsFor(wishes),
      });
      const now = runtime.clock.now();
      const show = input.fields === 'full' ? showTask : showTaskBriefly;
      const { items, ...rest } = toPage(
        tasks,
        wishes,
        (task) => show(task, now),
        (task) => task.id,
      );
      return { tasks: items, count: items.length, ...rest };
    },
  }),

  defineTool({
    name: 'get_task',
    title: 'Read a task',
    effect: 'read',
    description:
      'One task whole: what it waits for, what waits for it, who works on it, attempts, and why it is not ready. ' +
      'Next: update_task_status to move it.',
    input: z.strictObject({ task_id: field.taskReference, fields: field.fields }),
    output: taskOutput.extend({ dependents: z.array(z.int()), waits_because: z.string().optional() }),
    handler: async (input, { runtime }) => {
      const task = await runtime.tasks.get(input.task_id);
      const longest = input.fields === 'full' ? Number.POSITIVE_INFINITY : undefined;
      return {
        ...showTask(task, runtime.clock.now(), longest),
        dependents: task.dependents,
        waits_because: task.waitsBecause,
      };
    },
  }),
];
