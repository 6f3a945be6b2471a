import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Git } from '../base/git.js';
import type { Log } from '../base/log.js';
import {
  beginRemoval,
  forgetWorktree,
  listRemovable,
  moveWorktree,
  type WorktreeRow,
} from '../core/worktrees/worktrees.js';
import type { Database } from '../store/sql.js';
import { commitAt, isDirectory } from './repository.js';
import { dropUnused, isUntouched, readContents, removeTree } from './tree.js';

interface SweepNeeds {
  db: Database;
  clock: Clock;
  git: Git;
  log: Log;
  /** This host, where others use the database too; only its worktrees can be looked at. */
  hostId: string | null;
}

/** Longer than git may take for a worktree, so that nobody works on one that is still being made or removed after it. */
const staleMs = 1_800_000;

/**
 * Removes worktrees in which nothing was done: no commit, no change, no file, not even an ignored one. All others stay
 * until somebody finishes them. A worktree that cannot be looked at is left alone, with a word in the log.
 */
export async function sweepWorktrees({ db, clock, git, log, hostId }: SweepNeeds): Promise<void> {
  for (const row of await listRemovable(db, hostId, clock.now() - staleMs)) {
    try {
      if (row.status === 'creating') await finishCreating(row, { db, git });
      else await removeUntouched(row, { db, clock, git });
    } catch (error) {
      log.warn('a worktree was left as it is', { path: row.path, reason: messageOf(error) });
    }
  }
}

/** The process that was making it is gone. */
async function finishCreating(row: WorktreeRow, { db, git }: Pick<SweepNeeds, 'db' | 'git'>): Promise<void> {
  if (isDirectory(row.repository)) await dropUnused(git, row);
  if (!isDirectory(row.path)) await forgetWorktree(db, row);
}

/** Removes the worktree of a task or a job that has ended, if nothing was done in it. Resolves to whether it did. */
export async function removeUntouched(
  row: WorktreeRow,
  { db, clock, git }: Pick<SweepNeeds, 'db' | 'clock' | 'git'>,
): Promise<boolean> {
  const change = { at: clock.now() };
  if (await isGone(row, git)) return moveWorktree(db, row, { status: 'removed' }, change);
  if (!(await isUntouched(git, row))) {
    if (row.status === 'removing') await moveWorktree(db, row, { status: 'active' }, change);
    return false;
  }
  if (!(await beginRemoval(db, row, change.at))) return false;
  const marked = { ...row, status: 'removing' as const };
  try {
    await removeTree(git, row, await readContents(git, row));
  } catch (error) {
    await moveWorktree(db, marked, { status: 'active' }, change);
    throw error;
  }
  return moveWorktree(db, marked, { status: 'removed', event: 'worktree_removed' }, change);
}

/**
 * Removes a worktree in which nothing was done, for the job that it was made for and that is about to end. Resolves to
 * whether it did.
 */
export async function removeOwnUntouched(
  row: WorktreeRow,
  { db, clock, git }: Pick<SweepNeeds, 'db' | 'clock' | 'git'>,
): Promise<boolean> {
  if (!(await isUntouched(git, row))) return false;
  const change = { at: clock.now() };
  if (!(await moveWorktree(db, row, { status: 'removing' }, change))) return false;
  const marked = { ...row, status: 'removing' as const };
  try {
    await removeTree(git, row, await readContents(git, row));
  } catch {
    // More has come since: it stays, with that.
    await moveWorktree(db, marked, { status: 'active' }, change);
    return false;
  }
  return moveWorktree(db, marked, { status: 'removed', event: 'worktree_removed' }, change);
}

/** Somebody has deleted it and its branch by hand, or the whole repository. */
async function isGone({ repository, path, branch }: WorktreeRow, git: Git): Promise<boolean> {
  if (isDirectory(path)) return false;
  return !isDirectory(repository) || (await commitAt(git, repository, `refs/heads/${branch}`)) === undefined;
}
