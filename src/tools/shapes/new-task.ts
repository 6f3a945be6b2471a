import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import type { Actor } from '../../core/actor.js';
import type { NewTask } from '../../core/tasks/create-tasks.js';
import type { TaskWithDependencies } from '../../core/tasks/list-tasks.js';
import type { Tasks } from '../../core/tasks/tasks.js';
import * as field from '../call/fields.js';

/** A name that its maker gives a task. */
export const taskKey = z
  .string()
  .min(1)
  .max(200)
  .describe('A name of your own for it, such as auth-api; unique, not digits only. Works wherever an id does.');

/** A task as create_task takes it, and create_tasks a list of. */
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
  acceptance: z.string().max(20_000).optional().describe('How one can tell that it is done.'),
  max_attempts: z.int().min(1).max(100).optional().describe('Claims that may lapse before it fails; 3 unless given.'),
  on_dependency_failure: field.failurePolicy.optional(),
});

export function toNewTask({
  goal_id,
  deadline,
  not_before,
  max_attempts,
  on_dependency_failure,
  ...task
}: z.output<typeof newTask>): NewTask {
  return {
    ...task,
    goalId: goal_id,
    deadlineAt: field.toMs(deadline),
    notBefore: field.toMs(not_before),
    maxAttempts: max_attempts,
    onDependencyFailure: on_dependency_failure,
  };
}

interface SeveralTasks {
  tasks?: z.output<typeof newTask>[] | undefined;
  template?: string | undefined;
  parameters?: Record<string, string> | undefined;
  goal_id?: number | undefined;
}

/** Creates the tasks that a call gives, or those of the template that it names. Throws `invalid` for both or neither. */
export async function createSeveral(
  { tasks, template, parameters, goal_id: goalId }: SeveralTasks,
  actor: Actor,
  board: Tasks,
): Promise<TaskWithDependencies[]> {
  if (tasks && template === undefined && parameters === undefined) {
    return board.create(
      tasks.map((task) => toNewTask({ ...task, goal_id: task.goal_id ?? goalId })),
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
    `create_tasks was given ${tasks ? 'tasks and what belongs to a template' : 'neither tasks nor a template'}.`,
    'Give it tasks, or a template with its parameters.',
  );
}
