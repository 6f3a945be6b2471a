import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import type { Git } from '../base/git.js';
import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import type { Change } from '../core/change.js';
import {
  activateWorktree,
  forgetWorktree,
  insertWorktree,
  isNameTaken,
  listWorktrees,
  moveWorktree,
  type NewWorktree,
  type WorktreeOwner,
  type WorktreeRow,
  worktreeOf,
  worktreesBefore,
} from '../core/worktrees/worktrees.js';
import type { Database } from '../store/sql.js';
import { type Difference, readDifference } from './difference.js';
import { type Finished, type FinishRequest, finishWorktree } from './finish.js';
import { inConflict, mergeCommits } from './merge.js';
import { commitAt, isDirectory, openRepository, type Repository, slugOf } from './repository.js';
import { removeOwnUntouched, sweepWorktrees } from './sweep.js';
import { addTree, dropUnused, readContents, restoreTree } from './tree.js';

export interface WorktreeNeeds {
  db: Database;
  clock: Clock;
  git: Git;
  log: Log;
  /** Its `worktrees/` holds them all, outside of every repository. */
  dataDir: string;
  /** This host, where others use the database too: a worktree is on the disk of one. */
  hostId: string | null;
}

/** For whom a worktree is made, and where. */
export interface WorktreeRequest {
  owner: WorktreeOwner;
  title: string;
  /** A directory of the repository. */
  directory: string;
}

export type Worktrees = ReturnType<typeof createWorktrees>;

/**
 * Git worktrees of tasks and jobs, each with a branch of its own. Git is never called in a transaction: a row says first
 * what is about to be made or removed, so that nothing is lost sight of when a process is killed in between.
 */
export function createWorktrees(needs: WorktreeNeeds) {
  const { db, clock, git, hostId } = needs;
  const changeBy = (actor: Actor): Change => ({ at: clock.now(), actor });

  return {
    /** Throws `not_configured` unless worktrees can be made for this directory. */
    async require(directory: string): Promise<void> {
      await openRepository(git, directory);
    },

    /**
     * The worktree of a claimed task or of a job: the one that it has, with all that is in it, or a new one. A new one
     * of a task begins with the work of the tasks that it depends on, where that is not merged yet. Throws
     * `not_configured`, `unavailable` with git's own words, `conflict` if the work of those tasks does not merge or if it
     * has one on another host, and
     * `stale_claim` if the claim has ended meanwhile. Nothing is left behind then.
     */
    async open(request: WorktreeRequest, actor: Actor): Promise<WorktreeRow> {
      const known = await worktreeOf(db, request.owner);
      if (known) requireHere(known, hostId);
      if (known && (await isUsable(git, known))) return known;
      if (known) await moveWorktree(db, known, { status: 'removed' }, changeBy(actor));
      return makeWorktree(request, changeBy(actor), needs);
    },

    of: (owner: { taskId: number } | { jobId: string }): Promise<WorktreeRow | undefined> => worktreeOf(db, owner),

    /** Those on the disk, oldest first. */
    list: (): Promise<WorktreeRow[]> => listWorktrees(db),

    /** What is in a worktree that it did not begin with. Throws `not_found`, `conflict`, `unavailable`. */
    difference: (row: WorktreeRow): Promise<Difference> => readDifference(git, requireHere(row, hostId)),

    /** Merges, discards or keeps the worktree of a task or a job; see `finishWorktree`. */
    finish: (request: FinishRequest, actor: Actor): Promise<Finished> =>
      finishWorktree(request, actor, { db, clock, git, requireHere: (row) => requireHere(row, hostId) }),

    /** Removes a worktree in which nothing was done, for the job that has it. Resolves to whether it did. */
    removeIfUntouched: (row: WorktreeRow): Promise<boolean> => removeOwnUntouched(row, { db, clock, git }),

    /** Removes the worktrees of ended tasks and jobs in which nothing was done, and what killed processes left. */
    sweep: (): Promise<void> => sweepWorktrees(needs),
  };
}

/** Throws `conflict` for a worktree on the disk of another host. */
function requireHere(row: WorktreeRow, hostId: string | null): WorktreeRow {
  if (row.host_id === hostId || row.host_id === null) return row;
  const owner = row.task_id === null ? `job ${row.job_id}` : `task ${row.task_id}`;
  throw new RuntimeError(
    'conflict',
    `The worktree of ${owner} is on the host ${row.host_id}: ${row.path}.`,
    'Work on it there, or finish it there first: agent-runtime worktree.',
  );
}

/** Whether a worktree is still there, or its branch is, which is then checked out again. */
async function isUsable(git: Git, row: WorktreeRow): Promise<boolean> {
  if (isDirectory(row.path)) return true;
  if (!isDirectory(row.repository)) return false;
  if ((await commitAt(git, row.repository, `refs/heads/${row.branch}`)) === undefined) return false;
  await restoreTree(git, row);
  return true;
}

async function makeWorktree(request: WorktreeRequest, change: Change, needs: WorktreeNeeds): Promise<WorktreeRow> {
  const { db, git, log } = needs;
  const { owner, title } = request;
  const repository = await openRepository(git, request.directory);
  const start = await findStart(owner, repository, needs);
  const place = await freePlace(request, repository, needs);
  const row = await db.transaction((sql) =>
    insertWorktree(sql, { owner, title, hostId: needs.hostId, ...place, ...start }, change.at),
  );
  try {
    await addTree(git, row);
  } catch (error) {
    await forgetWorktree(db, row);
    throw error;
  }
  if (await db.transaction((sql) => activateWorktree(sql, row, change))) return { ...row, status: 'active' };
  await dropUnused(git, row).catch((error: unknown) => log.warn('a worktree stays', { path: row.path, error }));
  await forgetWorktree(db, row);
  throw new RuntimeError(
    'stale_claim',
    `The claim on task ${row.task_id} ended while its worktree was being made.`,
    'Claim a task again.',
  );
}

type Start = Pick<NewWorktree, 'baseBranch' | 'baseCommit'>;

/** With what a new worktree begins. */
async function findStart(
  owner: WorktreeOwner,
  { commonDir, head, branch }: Repository,
  { db, git }: WorktreeNeeds,
): Promise<Start> {
  const own = { baseBranch: branch, baseCommit: head };
  const before = 'taskId' in owner ? await worktreesBefore(db, owner.taskId, commonDir) : [];
  const commits: string[] = [];
  for (const row of before) {
    commits.push((await readContents(git, row)).snapshot);
  }
  const [first] = before;
  if (!first) return own;
  const names = before.map((row) => `task ${row.task_id}`).join(', ');
  const merged = await mergeCommits(git, commonDir, commits, `Work of ${names}`);
  if ('conflicts' in merged) {
    throw inConflict(merged.conflicts, `it depends on ${names}, whose branches have changed in the same places`);
  }
  return { baseBranch: first.base_branch, baseCommit: merged.commit };
}

/** A path and a branch that nothing has had yet. */
async function freePlace(
  { owner, title }: WorktreeRequest,
  { commonDir, name }: Repository,
  { db, git, dataDir }: WorktreeNeeds,
): Promise<Pick<NewWorktree, 'repository' | 'path' | 'branch'>> {
  const id = 'taskId' in owner ? String(owner.taskId) : `job-${owner.jobId.slice(0, 8)}`;
  const plain = [id, slugOf(title)].filter((part) => part !== '').join('-');
  for (let count = 1; ; count++) {
    const folder = count === 1 ? plain : `${plain}-${count}`;
    const place = {
      repository: commonDir,
      path: join(dataDir, 'worktrees', name, folder),
      branch: `agent-runtime/${folder}`,
    };
    if (existsSync(place.path) || (await isNameTaken(db, place))) continue;
    if ((await commitAt(git, commonDir, `refs/heads/${place.branch}`)) === undefined) return place;
  }
}
