import { messageOf, RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import type { Workers } from '../core/coordination/workers.js';
import type { Task } from '../core/tasks/task.js';
import { type TaskWorktree, toTaskWorktree } from '../core/worktrees/worktrees.js';
import type { Worktrees } from '../worktrees/worktrees.js';

export interface WorktreeClaimNeeds {
  worktrees: Pick<Worktrees, 'open' | 'require'>;
  workers: Pick<Workers, 'release'>;
  log: Log;
}

/** A task with the worktree that it has now. */
export type WithWorktree<Claimed extends Task> = Claimed & { worktree: TaskWorktree };

/**
 * Claims a task and gives it a git worktree, in the repository of the task's project or, if it has none, of the caller's.
 * If that cannot be made, the claim is given back, which costs no attempt, and the reason is thrown: as `open` of the
 * worktrees does. Resolves to undefined where nothing was claimed.
 */
export async function claimInWorktree<Claimed extends Task>(
  claim: () => Promise<Claimed | undefined>,
  actor: Actor,
  needs: WorktreeClaimNeeds,
): Promise<WithWorktree<Claimed> | undefined> {
  // Nothing needs to be given back where nothing could be made.
  if (actor.project !== '') await needs.worktrees.require(actor.project);
  const task = await claim();
  return task && giveWorktree(task, actor, needs);
}

/** The same for a task that the caller has just claimed. */
export async function giveWorktree<Claimed extends Task>(
  task: Claimed,
  actor: Actor,
  { worktrees, workers, log }: WorktreeClaimNeeds,
): Promise<WithWorktree<Claimed>> {
  try {
    const { id, claimToken, title, project } = task;
    const owner = { taskId: id, claimToken };
    const row = await worktrees.open({ owner, title, directory: project === '' ? actor.project : project }, actor);
    return { ...task, worktree: toTaskWorktree(row) };
  } catch (error) {
    await workers.release(task.id, task.claimToken, actor).catch((failure: unknown) => {
      log.warn('a claim without its worktree could not be given back', { task_id: task.id, failure });
    });
    throw givenBack(error, task.id);
  }
}

function givenBack(error: unknown, id: number): unknown {
  if (!(error instanceof RuntimeError) || error.code === 'stale_claim') return error;
  return new RuntimeError(error.code, `${messageOf(error)} Task ${id} was given back.`, error.hint, { cause: error });
}
