import { z } from 'zod';
import { cut } from '../base/text.js';
import { nothingUnread } from '../core/messages/messages.js';
import type { TaskWithDependencies } from '../core/tasks/list-tasks.js';
import type { Runtime } from '../runtime.js';
import { giveWorktree } from '../services/claim-in-worktree.js';
import { defineTool } from './call/define-tool.js';
import {
  claimToken,
  cursor,
  failurePolicy,
  goalId,
  inWorktree,
  iso,
  limit,
  priority,
  taskReference,
  taskReferences,
  time,
  toMs,
} from './call/fields.js';
import { fromCursor, pagedList, pageOutput, projectOf } from './call/page.js';
import { createTask } from './shapes/new-task.js';
import {
  describeWorkerClaim,
  showWorker,
  showWorkerClaim,
  showWorkerTask,
  statusWord,
  statusWords,
  workerClaimOutput,
  workerListOutput,
  workerTaskId,
  workerTaskOutput,
} from './shapes/worker.js';

const workerId = z
  .string()
  .min(1)
  .max(200)
  .describe('The name of the worker, as given to claim_worker_slot or chosen here.');
const slot = z.int().min(1).max(1_000).describe('The slot number that claim_worker_slot returned.');
const taskId = taskReference.describe('The id given to add_task, or the number of a task made by any other tool.');

const workerTasks = pageOutput('tasks', workerTaskOutput);

/** Tasks with what `showWorkerTask` needs of them. */
async function withKeys(tasks: readonly TaskWithDependencies[], runtime: Runtime) {
  const keys = await runtime.tasks.keysOf(tasks);
  const now = runtime.clock.now();
  return tasks.map((task) => ({ task, keys, now }));
}

type WithKeys = Awaited<ReturnType<typeof withKeys>>[number];
const shownAs = {
  byDefault: 20,
  // A line of its texts where there is room for few tasks, as much of them as ever where there are few.
  show: ({ task, keys, now }: WithKeys, longestLine: number) =>
    showWorkerTask(task, { keys, now, longest: longestLine === 60 ? 200 : longestLine }),
  placeOf: ({ task }: WithKeys) => task.id,
};

const untilText = (leaseExpiresAt: string | null): string =>
  leaseExpiresAt === null ? '' : `, until ${leaseExpiresAt}`;

/** Several workers on one board: slots, claims and reports. */
export const coordinationTools = [
  defineTool({
    name: 'claim_worker_slot',
    title: 'Claim a worker slot',
    effect: 'write',
    description:
      'Claims the lowest free worker slot; it stays yours while this session lives. Next: get_available_tasks, claim_task.',
    input: z.strictObject({ worker_id: workerId.optional() }),
    output: z.strictObject({ slot: z.int(), worker_id: z.string(), lease_expires_at: z.string().nullable() }),
    text: ({ slot }) => `Successfully claimed worker slot ${slot}`,
    facts: ({ worker_id, lease_expires_at }) => `Worker: ${worker_id}${untilText(lease_expires_at)}`,
    handler: async (input, { runtime, actor, sessionId }) => {
      const held = await runtime.slots.claim(input.worker_id, { ...actor, sessionId });
      return { slot: held.slot, worker_id: held.workerId ?? '', lease_expires_at: iso(held.leaseExpiresAt) };
    },
  }),

  defineTool({
    name: 'release_worker_slot',
    title: 'Release a worker slot',
    effect: 'write',
    description: 'Releases a worker slot. Its task goes back to the queue if it was claimed and not reported on.',
    input: z.strictObject({
      slot,
      force: z.boolean().optional().describe("Also a slot of another session's worker, when that is stuck."),
    }),
    output: z.strictObject({ slot: z.int(), released: z.literal(true) }),
    text: (output) => `Released worker slot ${output.slot}`,
    handler: async (input, { runtime, actor }) => {
      await runtime.slots.release(input.slot, actor, input.force ?? false);
      return { slot: input.slot, released: true as const };
    },
  }),

  defineTool({
    name: 'get_workers',
    title: 'Get workers',
    effect: 'read',
    description: 'Lists every worker slot: who holds it, which task they work on, and their last heartbeat.',
    input: z.strictObject({}),
    output: workerListOutput,
    text: (output) => JSON.stringify(output.workers),
    handler: async (_, { runtime }) => {
      const workers = (await runtime.slots.list()).map(showWorker);
      return { workers, count: workers.length };
    },
  }),

  defineTool({
    name: 'add_task',
    title: 'Add a task',
    effect: 'write',
    description:
      'Puts a task on the board under an id of your own. It is the board of create_task. Next: get_available_tasks.',
    input: z.strictObject({
      id: z.string().min(1).max(200).describe('Its id: unique, not digits only.'),
      description: z.string().trim().min(1).max(100_000).describe('What is to be done.'),
      dependencies: taskReferences.optional(),
      output: z.string().max(20_000).optional().describe('The expected output.'),
      priority: priority.optional(),
      goal_id: goalId.optional(),
      deadline: time.optional(),
      on_dependency_failure: failurePolicy.optional().describe('As for create_task.'),
    }),
    output: z.strictObject({ id: z.string(), number: z.int(), status: statusWord }),
    text: (output) => `Added task ${output.id}`,
    facts: ({ number, status }) => `Number: ${number}, ${status}`,
    handler: async (input, { runtime, actor }) => {
      const [firstLine = ''] = input.description.split('\n', 1);
      const task = {
        key: input.id,
        title: cut(firstLine, 200),
        description: input.description,
        dependencies: input.dependencies,
        expectedOutput: input.output,
        priority: input.priority,
        goalId: input.goal_id,
        deadlineAt: toMs(input.deadline),
        onDependencyFailure: input.on_dependency_failure,
      };
      const { id: number, status } = await createTask(task, actor, runtime.tasks);
      return { id: input.id, number, status: statusWords[status] };
    },
  }),

  defineTool({
    name: 'get_available_tasks',
    title: 'Get available tasks',
    effect: 'read',
    description: 'Lists the tasks that can be claimed now, the most urgent first. Next: claim_task.',
    input: z.strictObject({ limit: limit(20), cursor }),
    output: workerTasks,
    text: (output) => JSON.stringify(output.tasks),
    handler: async (input, { runtime, actor }) => {
      const scope = { project: projectOf(actor, undefined) };
      const afterId = fromCursor(input.cursor);
      const read = async (limit: number) => withKeys(await runtime.tasks.ready(scope, { limit, afterId }), runtime);
      return pagedList('tasks', input, { ...shownAs, read, total: () => runtime.tasks.countReady(scope) });
    },
  }),

  defineTool({
    name: 'get_all_tasks',
    title: 'Get all tasks',
    effect: 'read',
    description: 'Lists every task with its status (available, working, done, failed, cancelled), oldest first.',
    input: z.strictObject({ limit: limit(20), cursor }),
    output: workerTasks,
    text: (output) => JSON.stringify(output.tasks),
    handler: async (input, { runtime, actor }) => {
      const filter = { project: projectOf(actor, undefined), afterId: fromCursor(input.cursor) ?? 0 };
      const read = async (limit: number) => withKeys(await runtime.tasks.list({ ...filter, limit }), runtime);
      return pagedList('tasks', input, { ...shownAs, read, total: () => runtime.tasks.count(filter) });
    },
  }),

  defineTool({
    name: 'claim_task',
    title: 'Claim a task',
    effect: 'write',
    description:
      'Claims one particular task for the worker of a slot. Next: update_task. claim_next_task claims the most urgent one.',
    input: z.strictObject({ taskId, workerId, workerSlot: slot, worktree: inWorktree }),
    output: workerClaimOutput,
    text: ({ taskId, workerId }) => `Successfully claimed task ${taskId} for worker ${workerId}`,
    facts: describeWorkerClaim,
    handler: async (input, { runtime, actor }) => {
      const { taskId, workerId, workerSlot } = input;
      const claimed = await runtime.workers.claim({ task: taskId, workerId, slot: workerSlot }, actor);
      const task = input.worktree ? await giveWorktree(claimed, actor, runtime) : claimed;
      const keys = await runtime.tasks.keysOf([task]);
      const unread = claimed.hasMessages ? await runtime.messages.unread(actor, workerId) : nothingUnread;
      return showWorkerClaim(task, { keys, now: runtime.clock.now(), workerId, workerSlot, unread });
    },
  }),

  defineTool({
    name: 'update_task',
    title: 'Update a task',
    effect: 'write',
    description: 'Ends a task that your worker has claimed: done with its output, or failed with the reason.',
    input: z.strictObject({
      taskId,
      status: z.enum(['done', 'failed']).describe('done or failed.'),
      workerId,
      output: z.string().max(1_000_000).optional().describe('What was achieved.'),
      error: z.string().max(100_000).optional().describe('Why it failed.'),
      claim_token: claimToken.optional(),
    }),
    output: z.strictObject({ taskId: z.string(), status: z.enum(['done', 'failed']) }),
    text: (output) => `Successfully updated task ${output.taskId} to ${output.status}`,
    handler: async ({ taskId: task, workerId: worker, claim_token, status, ...outcome }, { runtime, actor }) => {
      const ended = { status: status === 'done' ? ('completed' as const) : ('failed' as const), ...outcome };
      const report = { ...ended, task, workerId: worker, claimToken: claim_token };
      return { taskId: workerTaskId(await runtime.workers.report(report, actor)), status };
    },
  }),

  defineTool({
    name: 'reset_failed_task',
    title: 'Reset a failed task',
    effect: 'write',
    description: 'Makes a failed or cancelled task, or one whose worker is gone, available again, with fresh attempts.',
    input: z.strictObject({ taskId }),
    output: z.strictObject({ taskId: z.string(), status: statusWord }),
    text: (output) => `Reset task ${output.taskId} to available`,
    handler: async (input, { runtime, actor }) => {
      const task = await runtime.workers.reset(input.taskId, actor);
      return { taskId: workerTaskId(task), status: statusWords[task.status] };
    },
  }),

  defineTool({
    name: 'release_task',
    title: 'Release a task',
    effect: 'write',
    description: 'Gives back a task that you have claimed and will not finish.',
    input: z.strictObject({
      task_id: taskId,
      claim_token: claimToken.optional(),
      force: z
        .boolean()
        .optional()
        .describe("Also another worker's claim, when that worker is stuck; its report is then refused."),
    }),
    output: z.strictObject({ task_id: z.string(), status: statusWord }),
    handler: async (input, { runtime, actor }) => {
      const task = await runtime.workers.release(input.task_id, input.claim_token, actor, input.force);
      return { task_id: workerTaskId(task), status: statusWords[task.status] };
    },
  }),

  defineTool({
    name: 'heartbeat',
    title: 'Send a heartbeat',
    effect: 'write',
    isIdempotent: true,
    description: 'Renews your claims and slots. Sessions do so by themselves; only a script needs it.',
    input: z.strictObject({ task_id: taskId.optional(), claim_token: claimToken.optional() }),
    output: z.strictObject({
      /** How many claimed tasks. */
      renewed: z.int(),
      slots: z.int(),
    }),
    handler: async (input, { runtime, actor }) => {
      const claim = { task: input.task_id, claimToken: input.claim_token };
      const { tasks, slots } = await runtime.workers.heartbeat(claim, actor);
      return { renewed: tasks, slots };
    },
  }),

  defineTool({
    name: 'clean_all_tasks',
    title: 'Clean all tasks',
    effect: 'destroy',
    isFinal: true,
    description:
      'Deletes every task of every project and frees all slots, after a backup whose path it returns. Goals stay.',
    input: z.strictObject({
      confirm: z.literal(true).describe('true, to say that you mean it: other sessions lose their tasks too.'),
    }),
    output: z.strictObject({ deleted: z.int(), backup: z.string() }),
    text: (output) => `Successfully cleaned all tasks and reset worker slots (backup: ${output.backup})`,
    facts: ({ deleted }) => `Deleted: ${deleted}`,
    handler: async (_, { runtime, actor }) => runtime.maintenance.clearBoard(actor),
  }),
];
