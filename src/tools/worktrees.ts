import { z } from 'zod';
import { worktreeEnds } from '../worktrees/finish.js';
import { defineTool } from './call/define-tool.js';
import { rowId } from './call/fields.js';
import { finishedWorktreeOutput } from './shapes/worktree.js';

/** Git worktrees of tasks and jobs. */
export const worktreeTools = [
  defineTool({
    name: 'finish_worktree',
    title: 'Finish a worktree',
    effect: 'destroy',
    description:
      'Merges the git worktree of a task into the branch it began from, committing what is not yet, if that merges; or discards or keeps it.',
    input: z.strictObject({
      task_id: z.union([rowId, z.string().min(1).max(200)]).describe('A task, or a background task.'),
      action: z.enum(worktreeEnds).describe('keep: leave it to a person.'),
      force: z.boolean().optional().describe('Discard work too; a ref keeps it.'),
    }),
    output: finishedWorktreeOutput,
    handler: async ({ task_id: task, action, force: isForced }, { runtime, actor }) => {
      const { row, status, commit, keptRef } = await runtime.worktrees.finish({ task, action, isForced }, actor);
      const into = status === 'merged' ? (row.base_branch ?? undefined) : undefined;
      return { status, branch: row.branch, path: row.path, merged_into: into, commit, kept_as: keptRef };
    },
  }),
];
