import { z } from 'zod';
import { cut } from '../base/text.js';
import type { TaskWithDependencies } from '../core/tasks/list-tasks.js';
import type { TaskStatus } from '../core/tasks/task.js';
import { defineTool } from './call/define-tool.js';
import {
  claimToken,
  cursor,
  failurePolicy,
  goalId,
  iso,
  limit,
  priority,
  taskReference,
  taskReferences,
} from './call/fields.js';
import { fromCursor, rowsFor, toPage } from './call/page.js';
import { projectOf } from './call/project.js';

const workerId = z
  .string()
  .min(1)
  .max(200)
  .describe('The name of the worker, as given to claim_worker_slot or chosen here.');
const slot = z.int().min(1).max(1_000).describe('The slot number that claim_worker_slot returned.');
const taskId = taskReference.describe('The id given to add_task, or the number of a task made by any other tool.');

/** The statuses in the words of the task coordinator. */
const words: Record<TaskStatus, string> = {
  pending: 'available',
  in_progress: 'working',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

const workerTask = z.object({
  id: z.string(),
  description: z.string(),
  status: z.string(),
  worker: z.string().nullable(),
  dependencies: z.array(z.string()),
  output: z.string().nullable(),
  error: z.string().nullable(),
  startedAt: z.string().optional(),
  completedAt: z.string().optional(),
  number: z.int().optional().describe('Its number, where id is a key.'),
  priority: z.int(),
  expected_output: z.string().optional(),
});

type Keys = ReadonlyMap<number, string>;

function showWorkerTask(task: TaskWithDependencies, keys: Keys, longest: number): z.input<typeof workerTask> {
  return {
    id: task.key ?? String(task.id),
    description: cut(task.description === '' ? task.title : task.description, longest),
    status: words[task.status],
    worker: task.status === 'in_progress' ? (task.workerId ?? task.claimedBy) : null,
    dependencies: task.dependencies.map((id) => keys.get(id) ?? String(id)),
    output: task.result === null ? null : cut(task.result, longest),
    error: task.error === null ? null : cut(task.error, longest),
    startedAt: task.startedAt === null ? undefined : iso(task.startedAt),
    completedAt: task.completedAt === null ? undefined : iso(task.completedAt),
    number: task.key === null ? undefined : task.id,
    priority: task.priority,
    expected_output: task.expectedOutput === null ? undefined : cut(task.expectedOutput, longest),
  };
}

const workerTasks = z.object({ tasks: z.array(workerTask), count: z.int(), next_cursor: z.string().optional() });

/** Several workers on one board: slots, claims and reports. */
export const coordinationTools = [
  defineTool({
    name: 'claim_worker_slot',
    title: 'Take a worker slot',
    effect: 'write',
    description:
      'Takes the lowest free of the worker slots that all sessions share; it stays yours while this session lives. Next: ' +
      'get_available_tasks, then claim_task with the slot. Release it when you stop working.',
    input: z.strictObject({ worker_id: workerId.optional() }),
    output: z.object({ slot: z.int(), worker_id: z.string(), lease_expires_at: z.string().nullable() }),
    text: (output) => `Successfully claimed worker slot ${output.slot}`,
    handler: async (input, { runtime, actor, sessionId }) => {
      const held = await runtime.slots.claim(input.worker_id, { ...actor, sessionId });
      return { slot: held.slot, worker_id: held.workerId ?? '', lease_expires_at: iso(held.leaseExpiresAt) };
    },
  }),

  defineTool({
    name: 'release_worker_slot',
    title: 'Give a worker slot back',
    effect: 'write',
    description: 'Frees a slot. A task that was claimed from it and not reported on goes back into the line.',
    input: z.strictObject({
      slot,
      force: z.boolean().optional().describe("Also a slot of another session's worker, when that is stuck."),
    }),
    output: z.object({ slot: z.int(), released: z.boolean() }),
    text: (output) => `Released worker slot ${output.slot}`,
    handler: async (input, { runtime, actor }) => {
      await runtime.slots.release(input.slot, actor, input.force ?? false);
      return { slot: input.slot, released: true };
    },
  }),

  defineTool({
    name: 'get_workers',
    title: 'List worker slots',
    effect: 'read',
    description: 'Every worker slot: who holds it, what they work on, and when they last gave a sign of life.',
    input: z.strictObject({}),
    output: z.object({
      workers: z.array(
        z.object({
          slot: z.int(),
          workerId: z.string().nullable(),
          active: z.boolean(),
          taskId: z.int().nullable(),
          session: z.string().optional(),
          last_heartbeat: z.string().optional(),
        }),
      ),
      count: z.int(),
    }),
    text: (output) => JSON.stringify(output.workers),
    handler: async (_, { runtime }) => {
      const slots = await runtime.slots.list();
      const workers = slots.map((held) => ({
        slot: held.slot,
        workerId: held.workerId,
        active: held.workerId !== null,
        taskId: held.taskId,
        session: held.holder ?? undefined,
        last_heartbeat: held.heartbeatAt === null ? undefined : iso(held.heartbeatAt),
      }));
      return { workers, count: workers.length };
    },
  }),

  defineTool({
    name: 'add_task',
    title: 'Add a task by name',
    effect: 'write',
    description:
      'Puts a task on the board under an id of your own, such as auth-api. It is one board with create_task: either ' +
      "tool's tasks can depend on the other's. Next: get_available_tasks.",
    input: z.strictObject({
      id: z.string().min(1).max(200).describe('Its id: unique, not digits only.'),
      description: z.string().trim().min(1).max(100_000).describe('What is to be done.'),
      dependencies: taskReferences.optional(),
      output: z.string().max(20_000).optional().describe('What it is expected to bring.'),
      priority: priority.optional(),
      goal_id: goalId.optional(),
      on_dependency_failure: failurePolicy.optional(),
    }),
    output: z.object({ id: z.string(), number: z.int(), status: z.string() }),
    text: (output) => `Added task ${output.id}`,
    handler: async (input, { runtime, actor }) => {
      const [firstLine = ''] = input.description.split('\n', 1);
      const [task] = await runtime.tasks.create(
        [
          {
            key: input.id,
            title: cut(firstLine, 200),
            description: input.description,
            dependencies: input.dependencies,
            expectedOutput: input.output,
            priority: input.priority,
            goalId: input.goal_id,
            onDependencyFailure: input.on_dependency_failure,
          },
        ],
        actor,
      );
      if (!task) throw new Error('A task that was just created is gone.');
      return { id: input.id, number: task.id, status: words[task.status] };
    },
  }),

  defineTool({
    name: 'get_available_tasks',
    title: 'List tasks to claim',
    effect: 'read',
    description:
      'Tasks that can be claimed now, the most urgent first. Next: claim_task with one of them and your slot.',
    input: z.strictObject({ limit: limit(20), cursor }),
    output: workerTasks,
    text: (output) => JSON.stringify(output.tasks),
    handler: async (input, { runtime, actor }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const scope = { project: projectOf(actor, undefined) };
      const ready = await runtime.tasks.ready(scope, { limit: rowsFor(wishes), afterId: fromCursor(input.cursor) });
      const keys = await runtime.tasks.keysOf(ready);
      const show = (task: TaskWithDependencies) => showWorkerTask(task, keys, 200);
      const { items, ...rest } = toPage(ready, wishes, show, (task) => task.id);
      return { tasks: items, count: items.length, ...rest };
    },
  }),

  defineTool({
    name: 'get_all_tasks',
    title: 'List all tasks of the board',
    effect: 'read',
    description: 'Every task with its status (available, working, done, failed, cancelled), oldest first.',
    input: z.strictObject({ limit: limit(20), cursor }),
    output: workerTasks,
    text: (output) => JSON.stringify(output.tasks),
    handler: async (input, { runtime, actor }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const filter = { project: projectOf(actor, undefined), afterId: fromCursor(input.cursor) ?? 0 };
      const tasks = await runtime.tasks.list({ ...filter, limit: rowsFor(wishes) });
      const keys = await runtime.tasks.keysOf(tasks);
      const { items, ...rest } = toPage(
        tasks,
        wishes,
        (task) => showWorkerTask(task, keys, 200),
        (task) => task.id,
      );
      return { tasks: items, count: items.length, ...rest };
    },
  }),

  defineTool({
    name: 'claim_task',
    title: 'Claim a task',
    effect: 'write',
    description:
      'Takes one particular task for the worker of a slot; no other worker can get it then. Next: do it, then update_task ' +
      'with done or failed. To take whatever is most urgent use claim_next_task.',
    input: z.strictObject({ taskId, workerId, workerSlot: slot }),
    output: z.object({
      taskId: z.string(),
      workerId: z.string(),
      workerSlot: z.int(),
      description: z.string(),
      claim_token: z.int(),
      lease_expires_at: z.string().nullable(),
    }),
    text: (output) => `Successfully claimed task ${output.taskId} for worker ${output.workerId}`,
    handler: async (input, { runtime, actor }) => {
      const claim = { task: input.taskId, workerId: input.workerId, slot: input.workerSlot };
      const task = await runtime.workers.claim(claim, actor);
      return {
        taskId: task.key ?? String(task.id),
        workerId: input.workerId,
        workerSlot: input.workerSlot,
        description: cut(task.description === '' ? task.title : task.description, 6_000),
        claim_token: task.claimToken,
        lease_expires_at: iso(task.leaseExpiresAt),
      };
    },
  }),

  defineTool({
    name: 'update_task',
    title: 'Report on a claimed task',
    effect: 'write',
    description:
      'Ends a task that your worker has claimed: done with what came of it, or failed with why. The slot stays yours for ' +
      'the next task. A claim that has lapsed or was taken over is refused, and nothing is written.',
    input: z.strictObject({
      taskId,
      status: z.enum(['done', 'failed']).describe('done or failed.'),
      workerId,
      output: z.string().max(1_000_000).optional().describe('What came of it.'),
      error: z.string().max(100_000).optional().describe('Why it failed.'),
      claim_token: claimToken.optional(),
    }),
    output: z.object({ taskId: z.string(), status: z.string() }),
    text: (output) => `Successfully updated task ${output.taskId} to ${output.status}`,
    handler: async ({ taskId: task, workerId: worker, claim_token, status, ...outcome }, { runtime, actor }) => {
      const report = { ...outcome, task, workerId: worker, claimToken: claim_token };
      const ended = await runtime.workers.report(
        { ...report, status: status === 'done' ? 'completed' : 'failed' },
        actor,
      );
      return { taskId: ended.key ?? String(ended.id), status };
    },
  }),

  defineTool({
    name: 'reset_failed_task',
    title: 'Make a failed task available again',
    effect: 'write',
    description:
      'Puts a failed or cancelled task, or one whose worker is gone, back into the line with fresh attempts. The tasks ' +
      'after it wait for it again.',
    input: z.strictObject({ taskId }),
    output: z.object({ taskId: z.string(), status: z.string() }),
    text: (output) => `Reset task ${output.taskId} to available`,
    handler: async (input, { runtime, actor }) => {
      const task = await runtime.workers.reset(input.taskId, actor);
      return { taskId: task.key ?? String(task.id), status: words[task.status] };
    },
  }),

  defineTool({
    name: 'release_task',
    title: 'Give a claimed task back',
    effect: 'write',
    description:
      'Gives back a task that you have claimed and will not finish, so that another worker can take it at once.',
    input: z.strictObject({
      task_id: taskId,
      claim_token: claimToken.optional(),
      force: z.boolean().optional().describe("Also another worker's claim, when that is stuck; its report is refused."),
    }),
    output: z.object({ task_id: z.string(), status: z.string() }),
    handler: async (input, { runtime, actor }) => {
      const task = await runtime.workers.release(input.task_id, input.claim_token, actor, input.force);
      return { task_id: task.key ?? String(task.id), status: words[task.status] };
    },
  }),

  defineTool({
    name: 'heartbeat',
    title: 'Renew claims by hand',
    effect: 'write',
    isIdempotent: true,
    description:
      'Renews what you hold. Sessions do so by themselves; only a caller without one (a script) needs it, with the task ' +
      'and the claim_token of its claim.',
    input: z.strictObject({ task_id: taskId.optional(), claim_token: claimToken.optional() }),
    output: z.object({ renewed: z.int().describe('How many claimed tasks.') }),
    handler: async (input, { runtime, actor }) => ({
      renewed: await runtime.workers.heartbeat({ task: input.task_id, claimToken: input.claim_token }, actor),
    }),
  }),

  defineTool({
    name: 'clean_all_tasks',
    title: 'Delete all tasks',
    effect: 'destroy',
    description:
      'Deletes every task of every project and frees all slots, after a backup whose path it returns. Goals stay.',
    input: z.strictObject({
      confirm: z.literal(true).describe('true, to say that you mean it: other sessions lose their tasks too.'),
    }),
    output: z.object({ deleted: z.int(), backup: z.string() }),
    text: (output) => `Successfully cleaned all tasks and reset worker slots (backup: ${output.backup})`,
    handler: async (_, { runtime, actor }) => runtime.maintenance.clearBoard(actor),
  }),
];
