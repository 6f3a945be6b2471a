import { z } from 'zod';
import { type TaskWorktree, worktreeStatuses } from '../../core/worktrees/worktrees.js';
import type { Difference } from '../../worktrees/difference.js';
import { mark, whenTrue } from '../call/fields.js';

/** What a worktree has that its branch did not begin with, committed or not. */
export const differenceOutput = z.strictObject({
  commits: z.int(),
  /** Some of it is not committed yet. */
  uncommitted: mark,
  files_changed: z.int(),
  lines_added: z.int(),
  lines_removed: z.int(),
  /** The first 100; a binary file has no lines. */
  files: z.array(z.strictObject({ path: z.string(), added: z.int().nullable(), removed: z.int().nullable() })),
  /** In git's own form: the first 60,000 bytes. */
  patch: z.string(),
  patch_cut: mark,
});

export type ShownDifference = z.infer<typeof differenceOutput>;

/** The git worktree of a task. */
export const worktreeOutput = z.strictObject({
  /** Work in this directory. */
  path: z.string(),
  branch: z.string(),
  /** The branch that finish_worktree merges it into; absent where it began from a commit of no branch. */
  base: z.string().optional(),
  /** active and kept: it is there. */
  status: z.enum(worktreeStatuses),
  diff: differenceOutput.optional(),
  /** Why there is no diff. */
  diff_error: z.string().optional(),
});

export type ShownWorktree = z.infer<typeof worktreeOutput>;

/** @internal */
export function showWorktree(worktree: TaskWorktree | undefined): ShownWorktree | undefined {
  if (!worktree) return undefined;
  const { path, branch, baseBranch, status } = worktree;
  return { path, branch, base: baseBranch ?? undefined, status };
}

/** @internal */
export function showDifference(difference: Difference): ShownDifference {
  return {
    commits: difference.commits,
    uncommitted: whenTrue(difference.hasUncommitted),
    files_changed: difference.fileCount,
    lines_added: difference.added,
    lines_removed: difference.removed,
    files: difference.files,
    patch: difference.patch,
    patch_cut: whenTrue(difference.isPatchCut),
  };
}

/** What finish_worktree has done. */
export const finishedWorktreeOutput = z.strictObject({
  status: z.enum(['merged', 'discarded', 'kept']),
  branch: z.string(),
  path: z.string(),
  /** The branch that has the work now, and its commit. */
  merged_into: z.string().optional(),
  commit: z.string().optional(),
  /** The ref under which discarded work stays reachable. */
  kept_as: z.string().optional(),
});

/** What a background task has left in its worktree: finish_worktree takes its id. */
export const workOutput = z.strictObject({
  path: z.string(),
  branch: z.string(),
  base: z.string().optional(),
  commits: z.int(),
  files_changed: z.int(),
  lines_added: z.int(),
  lines_removed: z.int(),
});

/** The result of a job of type `llm`, beside its text. */
export interface ModelResult {
  stop_reason?: string;
  worktree?: z.infer<typeof workOutput>;
}
