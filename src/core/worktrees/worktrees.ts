import type { EpochMs } from '../../base/clock.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import type { Change } from '../change.js';
import type { EventType } from '../events/event-types.js';
import { recordEvent } from '../events/events.js';

/**
 * - `creating`: git is making it; nobody was told of it yet;
 * - `active`: its task works in it, or has;
 * - `kept`: a person keeps it, so it is never removed;
 * - `removing`: nothing was found in it, and git is removing it;
 * - `merged`, `discarded`, `removed`: it is gone.
 */
export const worktreeStatuses = ['creating', 'active', 'removing', 'kept', 'merged', 'discarded', 'removed'] as const;
export type WorktreeStatus = (typeof worktreeStatuses)[number];

/** A row of `worktrees`. */
export interface WorktreeRow {
  id: number;
  task_id: number | null;
  job_id: string | null;
  title: string;
  repository: string;
  path: string;
  branch: string;
  base_branch: string | null;
  base_commit: string;
  status: WorktreeStatus;
  claim_token: number | null;
  kept_ref: string | null;
  /** The host whose disk it is on; null where the database is that host's alone. */
  host_id: string | null;
  created_at: EpochMs;
  updated_at: EpochMs;
}

/** For what it is made: a claimed task on the board, or a background job. */
export type WorktreeOwner = { taskId: number; claimToken: number } | { jobId: string };

export interface NewWorktree {
  owner: WorktreeOwner;
  title: string;
  repository: string;
  path: string;
  branch: string;
  baseBranch: string | null;
  baseCommit: string;
  hostId: string | null;
}

/** The part of a worktree that its task shows. */
export interface TaskWorktree {
  status: WorktreeStatus;
  branch: string;
  path: string;
  baseBranch: string | null;
}

/** The same of a row. */
export const toTaskWorktree = ({ status, branch, path, base_branch }: WorktreeRow): TaskWorktree => ({
  status,
  branch,
  path,
  baseBranch: base_branch,
});

const isInUse = "status in ('active', 'kept')";

/** Writes down that a worktree is being made, before git is called. */
export const insertWorktree = (sql: Sql, worktree: NewWorktree, at: EpochMs): Promise<WorktreeRow> =>
  insertRow<WorktreeRow>(sql, 'worktrees', {
    task_id: 'taskId' in worktree.owner ? worktree.owner.taskId : null,
    job_id: 'jobId' in worktree.owner ? worktree.owner.jobId : null,
    claim_token: 'taskId' in worktree.owner ? worktree.owner.claimToken : null,
    title: worktree.title,
    repository: worktree.repository,
    path: worktree.path,
    branch: worktree.branch,
    base_branch: worktree.baseBranch,
    base_commit: worktree.baseCommit,
    host_id: worktree.hostId,
    status: 'creating',
    created_at: at,
    updated_at: at,
  });

/** Hands a worktree over to its task or job. Resolves to false if its claim has ended meanwhile: nothing is written then. */
export async function activateWorktree(sql: Sql, row: WorktreeRow, change: Change): Promise<boolean> {
  const activated = await sql.run(
    `update worktrees set status = 'active', updated_at = ? where id = ? and status = 'creating'
       and (job_id is not null or exists (select 1 from tasks
         where tasks.id = worktrees.task_id and tasks.status = 'in_progress' and tasks.claim_token = worktrees.claim_token))`,
    change.at,
    row.id,
  );
  if (activated === 1) await recordMove(sql, row, 'worktree_made', change);
  return activated === 1;
}

/** Moves a worktree from one status to another. Resolves to false if it has another status by now. */
export async function moveWorktree(
  db: Database,
  row: WorktreeRow,
  to: { status: WorktreeStatus; keptRef?: string | undefined; event?: WorktreeEvent | undefined },
  change: Change,
): Promise<boolean> {
  return db.transaction(async (sql) => {
    const moved = await sql.run(
      'update worktrees set status = ?, kept_ref = coalesce(?, kept_ref), updated_at = ? where id = ? and status = ?',
      to.status,
      to.keptRef ?? null,
      change.at,
      row.id,
      row.status,
    );
    const kept = { ...row, kept_ref: to.keptRef ?? row.kept_ref };
    if (moved === 1 && to.event !== undefined) await recordMove(sql, kept, to.event, change);
    return moved === 1;
  });
}

/**
 * Marks a worktree as being removed, if its task or job has ended: nobody may claim the task in between. Resolves to
 * false otherwise.
 */
export async function beginRemoval(sql: Sql, row: WorktreeRow, at: EpochMs): Promise<boolean> {
  const marked = await sql.run(
    `update worktrees set status = 'removing', updated_at = ? where id = ? and status = ? and ${hasNoWorker}`,
    at,
    row.id,
    row.status,
  );
  return marked === 1;
}

/** SQL: nobody works in it any more. A task that was deleted has ended. */
const hasNoWorker = `not exists (select 1 from tasks
    where tasks.id = worktrees.task_id and tasks.status in ('pending', 'in_progress'))
  and not exists (select 1 from jobs where jobs.id = worktrees.job_id and jobs.status in ('pending', 'running'))`;

/** Forgets a worktree that was never made. */
export const forgetWorktree = (sql: Sql, { id }: WorktreeRow): Promise<number> =>
  sql.run("delete from worktrees where id = ? and status in ('creating', 'removing')", id);

/** The worktree that a task or a job has now. */
export const worktreeOf = (
  sql: Sql,
  owner: { taskId: number } | { jobId: string },
): Promise<WorktreeRow | undefined> =>
  'taskId' in owner
    ? sql.get<WorktreeRow>(`select * from worktrees where task_id = ? and ${isInUse}`, owner.taskId)
    : sql.get<WorktreeRow>(`select * from worktrees where job_id = ? and ${isInUse}`, owner.jobId);

/** The worktrees of the tasks that a task depends on, as far as their work is not merged yet. */
export const worktreesBefore = (sql: Sql, taskId: number, repository: string): Promise<WorktreeRow[]> =>
  sql.all<WorktreeRow>(
    `select w.* from task_dependencies d join worktrees w on w.task_id = d.depends_on
     where d.task_id = ? and w.repository = ? and w.${isInUse} order by w.task_id`,
    taskId,
    repository,
  );

/** Those on the disk, oldest first. */
export const listWorktrees = (sql: Sql, status?: WorktreeStatus): Promise<WorktreeRow[]> => {
  const found = where(is('status = ?', status), status === undefined && { text: isInUse, values: [] });
  return sql.all<WorktreeRow>(`select * from worktrees ${found.text} order by id`, ...found.values);
};

/**
 * Those that a sweep may remove if nothing is in them: their task or job has ended, or the process that was making or
 * removing them is gone, as nothing of it takes this long. Those of other hosts are left to them.
 */
export const listRemovable = (sql: Sql, hostId: string | null, staleBefore: EpochMs): Promise<WorktreeRow[]> =>
  sql.all<WorktreeRow>(
    `select * from worktrees where host_id is not distinct from ? and ((status = 'active' and ${hasNoWorker})
       or (status in ('creating', 'removing') and updated_at < ?)) order by id`,
    hostId,
    staleBefore,
  );

/** Whether a path or a branch was given out before, also to one that is gone. */
export async function isNameTaken(
  sql: Sql,
  { path, repository, branch }: Omit<NewWorktree, 'owner' | 'title' | 'baseBranch' | 'baseCommit' | 'hostId'>,
): Promise<boolean> {
  const found = await sql.get(
    'select 1 from worktrees where path = ? or (repository = ? and branch = ?) limit 1',
    path,
    repository,
    branch,
  );
  return found !== undefined;
}

/** Deletes the rows of worktrees that were gone before a time. Resolves to their number. */
export const purgeWorktrees = (sql: Sql, before: EpochMs): Promise<number> =>
  sql.run("delete from worktrees where status in ('merged', 'discarded', 'removed') and updated_at < ?", before);

type WorktreeEvent = EventType<'task'> & `worktree_${string}`;

function recordMove(sql: Sql, row: WorktreeRow, type: WorktreeEvent, change: Change): Promise<void> {
  const subject = row.task_id === null ? ('job' as const) : ('task' as const);
  const data = { branch: row.branch, path: row.path, ...(row.kept_ref === null ? {} : { kept_as: row.kept_ref }) };
  return recordEvent(sql, { ...change, subject, subjectId: row.task_id ?? row.job_id ?? '', type, data });
}
