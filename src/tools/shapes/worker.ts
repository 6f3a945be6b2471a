import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { ListedSlot } from '../../core/coordination/slots.js';
import type { TaskWithDependencies } from '../../core/tasks/list-tasks.js';
import type { TaskStatus } from '../../core/tasks/task.js';
import { iso } from '../call/fields.js';

/** The statuses in the words of the task coordinator, whose tools these were. */
export const statusWords = {
  pending: 'available',
  in_progress: 'working',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
} as const satisfies Record<TaskStatus, string>;

export const statusWord = z.enum(Object.values(statusWords));

/** A task with the keys that the task coordinator gave it. */
export const workerTaskOutput = z.strictObject({
  /** Its key, or its number as text. */
  id: z.string(),
  title: z.string(),
  description: z.string(),
  status: statusWord,
  worker: z.string().nullable(),
  dependencies: z.array(z.string()),
  output: z.string().nullable(),
  error: z.string().nullable(),
  startedAt: z.string().optional(),
  completedAt: z.string().optional(),
  /** Its number, where id is a key. */
  number: z.int().optional(),
  priority: z.int(),
  expected_output: z.string().optional(),
});

type Keys = ReadonlyMap<number, string>;

/** A task as workers see it. `keys` holds the keys of its dependencies, `longest` cuts its texts. */
export function showWorkerTask(
  task: TaskWithDependencies,
  keys: Keys,
  longest: number,
): z.infer<typeof workerTaskOutput> {
  return {
    id: workerTaskId(task),
    title: cut(task.title, longest),
    description: workerTaskText(task, longest),
    status: statusWords[task.status],
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

/** The id by which workers know a task: its key, or its number. */
export const workerTaskId = ({ key, id }: { key: string | null; id: number }): string => key ?? String(id);

export const workerTaskText = ({ description, title }: { description: string; title: string }, longest: number) =>
  cut(description === '' ? title : description, longest);

/** A worker slot, held or free. */
export const workerOutput = z.strictObject({
  slot: z.int(),
  workerId: z.string().nullable(),
  active: z.boolean(),
  /** The id by which workers know the task: its key, or its number. */
  taskId: z.string().nullable(),
  task_number: z.int().optional(),
  /** The session that keeps the slot alive. */
  session: z.string().optional(),
  last_heartbeat: z.string().optional(),
});

export type ShownWorker = z.infer<typeof workerOutput>;

/** `get_workers`: all slots, in order. */
export const workerListOutput = z.strictObject({ workers: z.array(workerOutput), count: z.int() });

export type ShownWorkerList = z.infer<typeof workerListOutput>;

export function showWorker(slot: ListedSlot): ShownWorker {
  return {
    slot: slot.slot,
    workerId: slot.workerId,
    active: slot.workerId !== null,
    taskId: slot.taskId === null ? null : workerTaskId({ key: slot.taskKey, id: slot.taskId }),
    task_number: slot.taskId ?? undefined,
    session: slot.holder ?? undefined,
    last_heartbeat: slot.heartbeatAt === null ? undefined : iso(slot.heartbeatAt),
  };
}
