import type { Clock } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Git } from '../base/git.js';
import type { Actor } from '../core/actor.js';
import { hasEnded } from '../core/jobs/job.js';
import { findJob } from '../core/jobs/read-jobs.js';
import { isOwnClaim } from '../core/tasks/claim-proof.js';
import { findTask, type TaskReference, type TaskRow, taskName } from '../core/tasks/task.js';
import { moveWorktree, type WorktreeRow, worktreeOf } from '../core/worktrees/worktrees.js';
import type { Database } from '../store/sql.js';
import { mergeInto } from './merge.js';
import { commitAt, isAncestor } from './repository.js';
import { type Contents, readContents, removeTree } from './tree.js';

export const worktreeEnds = ['merge', 'discard', 'keep'] as const;
export type WorktreeEnd = (typeof worktreeEnds)[number];

export interface FinishRequest {
  /** The task on the board, or the id of the job. */
  task: TaskReference;
  action: WorktreeEnd;
  /** Discards changes too. */
  isForced?: boolean | undefined;
}

/** What became of a worktree. */
export interface Finished {
  row: WorktreeRow;
  status: 'merged' | 'discarded' | 'kept';
  /** The commit that its base has now. */
  commit?: string | undefined;
  /** Where the discarded work stays. */
  keptRef?: string | undefined;
}

interface FinishNeeds {
  db: Database;
  clock: Clock;
  git: Git;
  /** Throws `conflict` for one on the disk of another host. */
  requireHere(row: WorktreeRow): void;
}

/**
 * Ends a worktree.
 *
 * - `merge`: what is not committed becomes a commit with the title of its task; all goes into the branch that it began
 *   from, and worktree and branch are removed.
 * - `discard`: worktree and branch are removed. Where something was done in it, only by force, and a ref keeps the work.
 * - `keep`: it stays, for a person.
 *
 * Throws `not_found`, `conflict` with the reason, `already_claimed` while another works on it; then nothing is changed.
 */
export async function finishWorktree(request: FinishRequest, actor: Actor, needs: FinishNeeds): Promise<Finished> {
  const { db, clock, git } = needs;
  const row = await findWorktree(request.task, actor, db);
  const change = { at: clock.now(), actor };
  if (request.action === 'keep') {
    if (row.status !== 'kept') await moveWorktree(db, row, { status: 'kept', event: 'worktree_kept' }, change);
    return { row, status: 'kept' };
  }
  needs.requireHere(row);
  const contents = await readContents(git, row);
  if (request.action === 'merge') {
    const commit = await merge(row, contents, git);
    await moveWorktree(db, row, { status: 'merged', event: 'worktree_merged' }, change);
    return { row, status: 'merged', commit };
  }
  const keptRef = await discard(row, contents, request.isForced === true, git);
  await moveWorktree(db, row, { status: 'discarded', keptRef, event: 'worktree_discarded' }, change);
  return { row, status: 'discarded', keptRef };
}

async function findWorktree(reference: TaskReference, actor: Actor, db: Database): Promise<WorktreeRow> {
  const isJob = typeof reference === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(reference);
  const row = isJob ? await ofJob(reference, db) : await ofTask(reference, actor, db);
  if (row) return row;
  throw new RuntimeError(
    'not_found',
    `${isJob ? 'Job' : 'Task'} ${reference} has no worktree.`,
    'It never had one, or it was merged, discarded or, with nothing in it, removed.',
  );
}

async function ofTask(reference: TaskReference, actor: Actor, db: Database): Promise<WorktreeRow | undefined> {
  const known = /^\d+$/.test(String(reference)) ? await worktreeOf(db, { taskId: Number(reference) }) : undefined;
  const task = await findTask(db, reference, actor.project).catch((error: unknown) => {
    // A task that was deleted leaves its worktree behind.
    if (known) return undefined;
    throw error;
  });
  if (!task) return known;
  if (task.status === 'in_progress' && !isOwnClaim(task, { actor })) throw atWork(task);
  return worktreeOf(db, { taskId: task.id });
}

function atWork(task: TaskRow): RuntimeError {
  return new RuntimeError(
    'already_claimed',
    `${task.claimed_by} works on task ${taskName(task)}, so nobody else finishes its worktree.`,
    'Wait until the task has ended, or take it back with release_task and force: true first.',
  );
}

async function ofJob(id: string, db: Database): Promise<WorktreeRow | undefined> {
  const job = await findJob(db, id);
  if (!hasEnded(job.status)) {
    throw new RuntimeError('conflict', `Job ${id} is ${job.status}.`, 'Wait for it with wait_for_tasks, or cancel it.');
  }
  return worktreeOf(db, { jobId: id });
}

async function merge(row: WorktreeRow, contents: Contents, git: Git): Promise<string> {
  const { base_branch: branch, branch: own, repository, title } = row;
  refuseHidden(row, contents);
  if (contents.unmerged.length > 0) {
    throw new RuntimeError(
      'conflict',
      `In ${row.path} a merge is not finished: ${contents.unmerged.slice(0, 10).join(', ')}.`,
      'Resolve the conflicts there and commit, then try again.',
    );
  }
  if (branch === null) {
    throw new RuntimeError(
      'conflict',
      `The worktree began from a commit of no branch, so there is none to merge ${own} into.`,
      `Run git merge ${own} where you want it, then discard the worktree with force.`,
    );
  }
  const message = `Merge ${own}: ${title}`;
  const commit = await mergeInto(git, repository, { commit: contents.snapshot, branch, message });
  try {
    await removeTree(git, row, contents);
  } catch (error) {
    const { message, hint } = error instanceof RuntimeError ? error : new RuntimeError('conflict', messageOf(error));
    throw new RuntimeError('conflict', `It is merged into ${branch}. ${message}`, hint, { cause: error });
  }
  return commit;
}

async function discard(row: WorktreeRow, contents: Contents, isForced: boolean, git: Git): Promise<string | undefined> {
  const { repository, base_commit } = row;
  refuseHidden(row, contents);
  const hasWork = !(await isAncestor(git, repository, contents.snapshot, base_commit));
  if (hasWork && !isForced) {
    throw new RuntimeError(
      'conflict',
      `The worktree ${row.path} has work in it, so it was not discarded.`,
      'Look at it with get_task and diff: true. Merge it, or discard it with force: true; a ref keeps its commits then.',
    );
  }
  const keptRef = hasWork ? await keepReachable(row, contents.snapshot, git) : undefined;
  await removeTree(git, row, contents);
  return keptRef;
}

/** Puts a commit under a ref that is no branch, so that git never drops it. */
async function keepReachable({ repository, task_id, job_id }: WorktreeRow, commit: string, git: Git): Promise<string> {
  const plain = `refs/agent-runtime/discarded/${task_id ?? job_id}`;
  for (let count = 1; ; count++) {
    const ref = count === 1 ? plain : `${plain}-${count}`;
    const taken = await commitAt(git, repository, ref);
    if (taken === commit) return ref;
    if (taken !== undefined) continue;
    await git.run(['update-ref', ref, commit, ''], { cwd: repository });
    return ref;
  }
}

/** Changes in such files would be in no commit, and lost with the worktree. */
function refuseHidden({ path }: WorktreeRow, { hidden }: Contents): void {
  if (hidden.length === 0) return;
  throw new RuntimeError(
    'conflict',
    `In ${path} git was told not to look at ${hidden.slice(0, 10).join(', ')}, so it cannot say what changed there.`,
    'Run git update-index --no-assume-unchanged --no-skip-worktree for them there, then try again.',
  );
}
