import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { toIdRanges } from '../../base/id-ranges.js';
import type { Actor } from '../../core/actor.js';
import type { NewTask } from '../../core/tasks/create-tasks.js';
import type { TaskEdit } from '../../core/tasks/edit-task.js';
import type { TaskWithDependencies } from '../../core/tasks/list-tasks.js';
import type { Tasks } from '../../core/tasks/tasks.js';
import * as field from '../call/fields.js';

/** A name that the maker of a task chooses for it. */
export const taskKey = z.string().min(1).max(200).describe('A name of your own, such as auth-api: works as an id.');

/** A new task, as create_task takes one and create_tasks several. */
export const newTask = z.strictObject({
  title: z.string().trim().min(1).max(500).describe('What is to be done, as an instruction.'),
  goal_id: field.goalId.optional(),
  description: z.string().max(100_000).optional().describe('What whoever does it needs to know.'),
  priority: field.priority.optional(),
  dependencies: field.taskReferences.optional(),
  key: taskKey.optional(),
  metadata: field.metadata.optional(),
  deadline: field.time.optional(),
  not_before: field.time.optional(),
  acceptance: z.string().max(20_000).optional().describe('Acceptance criteria: when it is done.'),
  max_attempts: z.int().min(1).max(100).optional().describe('Claims that may lapse before it fails; 3 unless given.'),
  on_dependency_failure: field.failurePolicy.optional(),
  discovered_from: field.taskReference.optional().describe('The task during which it was found.'),
});

/** A new task of several, which may depend on each other. */
export const newTaskOfSeveral = newTask.extend({ dependencies: field.batchReferences.optional() });

/** The same fields as changes of a task; null removes a value. */
export const taskEdit = z.strictObject({
  ...newTask.omit({ discovered_from: true }).partial().shape,
  goal_id: field.goalId.nullable().optional(),
  key: taskKey.nullable().optional(),
  deadline: field.time.nullable().optional(),
  not_before: field.time.nullable().optional(),
  acceptance: newTask.shape.acceptance.nullable(),
});

/** Input fields as the board takes them: for a new task, or for an edit. @internal */
export function toTaskFields(given: z.output<typeof newTask>): NewTask;
/** @internal */
export function toTaskFields(given: z.output<typeof taskEdit>): TaskEdit;
/** @internal */
export function toTaskFields({
  discovered_from,
  goal_id,
  deadline,
  not_before,
  max_attempts,
  on_dependency_failure,
  ...task
}: z.output<typeof taskEdit> & { discovered_from?: number | string | undefined }): TaskEdit &
  Pick<NewTask, 'discoveredFrom'> {
  return {
    ...task,
    ...(discovered_from === undefined ? {} : { discoveredFrom: discovered_from }),
    goalId: goal_id,
    deadlineAt: field.toMs(deadline),
    notBefore: field.toMs(not_before),
    maxAttempts: max_attempts,
    onDependencyFailure: on_dependency_failure,
  };
}

/** @internal */
export async function createTask(task: NewTask, actor: Actor, board: Tasks): Promise<TaskWithDependencies> {
  const [created] = await board.create([task], actor);
  if (!created) throw new Error('A task that was just created is gone.');
  return created;
}

/** Tasks that were created together. Of many, what their caller can tell apart without it is left out. */
export const createdOutput = z.strictObject({
  count: z.int(),
  /** Their ids as ranges, such as 4-6,9, in the order given. */
  ids: z.string(),
  /** Their ids one by one, where they are at most 30. */
  tasks_created: z.array(z.int()).optional(),
});

const fewTasks = 30;

/** @internal */
export function showCreated(ids: readonly number[]): z.infer<typeof createdOutput> {
  return {
    count: ids.length,
    ids: toIdRanges(ids),
    tasks_created: areFew(ids) ? [...ids] : undefined,
  };
}

/** @internal */
export const areFew = (ids: readonly unknown[]): boolean => ids.length <= fewTasks;

interface SeveralTasks {
  tasks?: z.output<typeof newTask>[] | undefined;
  template?: string | undefined;
  parameters?: Record<string, string> | undefined;
  goal_id?: number | undefined;
}

/**
 * Creates the tasks that a call gives, or those of the template that it names. Throws `invalid` for both or neither.
 * @internal
 */
export async function createSeveral(
  { tasks, template, parameters, goal_id: goalId }: SeveralTasks,
  actor: Actor,
  board: Tasks,
): Promise<TaskWithDependencies[]> {
  if (tasks && template === undefined && parameters === undefined) {
    return board.create(
      tasks.map((task) => toTaskFields({ ...task, goal_id: task.goal_id ?? goalId })),
      actor,
    );
  }
  if (template !== undefined && !tasks) {
    return board.createFromTemplate(
      { name: template, parameters: new Map(Object.entries(parameters ?? {})), goalId },
      actor,
    );
  }
  throw new RuntimeError(
    'invalid',
    `create_tasks was given ${tasks ? 'both tasks and a template or its parameters' : 'neither tasks nor a template'}.`,
    'Give it tasks, or a template with its parameters.',
  );
}
