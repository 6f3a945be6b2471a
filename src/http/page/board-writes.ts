import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { boardStates } from '../../core/overview/board.js';
import { changeTasks, mostChanged, type TaskChange } from '../../services/change-tasks.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { cursor, goalId, priority, taskReference } from '../../tools/call/fields.js';
import { fromCursor } from '../../tools/call/page.js';
import { taskEdit, toTaskFields } from '../../tools/shapes/new-task.js';
import { changedTaskOutput, showChangedTask } from '../../tools/shapes/task.js';
import { boardFilter, toFilter } from './board-filter.js';
import { changedTasks, showChangedTasks, taskChanges } from './tasks.js';

const changeFields = {
  change: z.enum(taskChanges).describe('What to do to each task.'),
  priority: priority.optional().describe('For the change priority.'),
  goal_id: goalId.nullable().optional().describe('For the change goal; null takes tasks out of their goal.'),
};

/**
 * What the page changes and no tool does, because a model has no use for it. Declared as tools are, so that input, errors
 * and addresses are the same: POST `/api/page/NAME`.
 */
export const boardWrites = [
  defineTool({
    name: 'change_tasks',
    title: 'Change many tasks',
    effect: 'write',
    description: 'Does the same to many tasks, and says which were done, which were refused, and how to undo it.',
    input: z.strictObject({
      ...changeFields,
      task_ids: z.array(z.int().min(1)).min(1).max(mostChanged).optional().describe('The tasks by number.'),
      filter: z
        .strictObject({ ...boardFilter, state: z.enum(boardStates).optional().describe('Only tasks in this state.') })
        .optional()
        .describe(`Instead of numbers: the tasks that the board shows under this filter, ${mostChanged} in a call.`),
      cursor,
    }),
    output: changedTasks,
    handler: async ({ task_ids: ids, filter, cursor: from, ...change }, { runtime, actor }) => {
      if ((ids === undefined) === (filter === undefined)) throw neitherOrBoth;
      const choice = filter
        ? { filter: toFilter(filter), state: filter.state, beforeId: fromCursor(from) }
        : { ids: ids ?? [] };
      return showChangedTasks(await changeTasks(choice, toChange(change), actor, runtime));
    },
  }),

  defineTool({
    name: 'edit_task',
    title: 'Edit a task',
    effect: 'write',
    description: 'Changes fields of a task as edit_task does, and the output that its plan expects.',
    input: z.strictObject({
      task_id: taskReference,
      ...taskEdit.shape,
      expected_output: z.string().max(20_000).nullable().optional().describe('What is to come of it.'),
    }),
    output: changedTaskOutput,
    handler: async ({ task_id, expected_output: expectedOutput, ...edit }, { runtime, actor }) => {
      const fields = { ...toTaskFields(edit), ...(expectedOutput === undefined ? {} : { expectedOutput }) };
      return showChangedTask(await runtime.tasks.edit(task_id, fields, actor), runtime.clock.now());
    },
  }),

  defineTool({
    name: 'end_task',
    title: 'End a task for whoever holds it',
    effect: 'write',
    description: 'Completes or fails a task; a claim on it ends, and what its holder still reports is refused.',
    input: z.strictObject({
      task_id: taskReference,
      status: z.enum(['completed', 'failed']).describe('How it ends.'),
      text: z.string().max(100_000).optional().describe('What came of it, or what went wrong.'),
    }),
    output: changedTaskOutput,
    handler: async ({ task_id: task, status, text }, { runtime, actor }) => {
      const outcome = text === undefined ? {} : { [status === 'failed' ? 'error' : 'result']: text };
      return showChangedTask(await runtime.tasks.endForAll({ task, status, ...outcome }, actor), runtime.clock.now());
    },
  }),

  defineTool({
    name: 'reopen_goal',
    title: 'Reopen a goal with its tasks',
    effect: 'write',
    description: 'Makes a cancelled goal active, and those of its tasks open again that were cancelled with it.',
    input: z.strictObject({ goal_id: goalId }),
    output: z.strictObject({
      goal_id: z.int(),
      /** How many of its tasks are open again. */
      reopened: z.int(),
    }),
    handler: async ({ goal_id }, { runtime, actor }) => ({
      goal_id,
      reopened: await runtime.goals.reopen(goal_id, actor),
    }),
  }),

  defineTool({
    name: 'pause_goal_run',
    title: 'Pause or resume the run of a goal',
    effect: 'write',
    isIdempotent: true,
    description: 'A paused run starts no more tasks; those under way go on. Resumed, it goes on with the next.',
    input: z.strictObject({ goal_id: goalId, paused: z.boolean().describe('false resumes it.') }),
    output: z.strictObject({ run_id: z.string(), paused: z.boolean() }),
    handler: async ({ goal_id, paused }, { runtime, actor }) => {
      const run = await runtime.goalRuns.pause(goal_id, paused, actor);
      if (!paused) await runtime.jobs.fill(actor);
      return { run_id: run.id, paused };
    },
  }),
];

const neitherOrBoth = new RuntimeError('invalid', 'Give either task_ids or a filter.', 'One of them says which tasks.');

interface GivenChange {
  change: (typeof taskChanges)[number];
  priority?: number | undefined;
  goal_id?: number | null | undefined;
}

function toChange({ change, priority: wanted, goal_id: goal }: GivenChange): TaskChange {
  if (change === 'priority') {
    if (wanted === undefined) throw new RuntimeError('invalid', 'The change priority has none.', 'Give a priority.');
    return { change, priority: wanted };
  }
  if (change === 'goal') {
    if (goal === undefined) throw new RuntimeError('invalid', 'The change goal has no goal_id.', 'Give one, or null.');
    return { change, goalId: goal };
  }
  return { change };
}
