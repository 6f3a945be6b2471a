import type { Clock } from '../base/clock.js';
import type { JsonObject } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import { findJob } from '../core/jobs/read-jobs.js';
import type { WorktreeRow } from '../core/worktrees/worktrees.js';
import type { Database } from '../store/sql.js';
import type { Worktrees } from '../worktrees/worktrees.js';
import { AgentError } from './define-agent.js';

/** Where a model that works with files is to do so. */
export interface PlaceRequest {
  jobId: string;
  /** The first words of its prompt name a worktree. */
  prompt: string;
  directory: string | undefined;
  isWorktree: boolean;
  /** The jobs whose conversation it continues, newest first: it goes on in their worktree. */
  continued: readonly string[];
}

export interface WorkingPlace {
  /** The directory to work in; undefined leaves it to the provider. */
  directory: string | undefined;
  /** What was done there, for the job's result; a worktree of its own in which nothing was done is removed. */
  close(): Promise<JsonObject | undefined>;
}

interface PlaceNeeds {
  db: Database;
  clock: Clock;
  worktrees: Worktrees;
}

/** Opens the place of a job. Throws as `open` of the worktrees does. */
export async function openPlace(request: PlaceRequest, needs: PlaceNeeds): Promise<WorkingPlace> {
  const { worktrees } = needs;
  const { directory, isWorktree, continued } = request;
  for (const jobId of continued) {
    const row = await worktrees.of({ jobId });
    if (row) return placeIn(row, false, worktrees);
  }
  if (!isWorktree) return { directory, close: async () => undefined };
  if (directory === undefined) throw new AgentError('invalid', 'A worktree needs the directory of a repository.');
  return openOwn(request, directory, needs);
}

/** The worktree of the job's task on the board, or one of the job's own. */
async function openOwn({ jobId, prompt }: PlaceRequest, directory: string, { db, worktrees }: PlaceNeeds) {
  const job = await findJob(db, jobId);
  const actor: Actor = { holder: `job:${jobId}`, project: job.project };
  const isOfTask = job.task_id !== null && job.task_claim_token !== null;
  const owner = isOfTask ? { taskId: job.task_id ?? 0, claimToken: job.task_claim_token ?? 0 } : { jobId };
  const title = isOfTask ? await titleOf(db, job.task_id ?? 0) : firstWords(prompt);
  return placeIn(await worktrees.open({ owner, title, directory }, actor), !isOfTask, worktrees);
}

function placeIn(row: WorktreeRow, isOwn: boolean, worktrees: Worktrees): WorkingPlace {
  return {
    directory: row.path,
    async close() {
      if (isOwn && (await worktrees.removeIfUntouched(row))) return undefined;
      const { commits, fileCount, added, removed } = await worktrees.difference(row);
      return {
        path: row.path,
        branch: row.branch,
        ...(row.base_branch === null ? {} : { base: row.base_branch }),
        commits,
        files_changed: fileCount,
        lines_added: added,
        lines_removed: removed,
      };
    },
  };
}

async function titleOf(db: Database, taskId: number): Promise<string> {
  return (await db.get<{ title: string }>('select title from tasks where id = ?', taskId))?.title ?? '';
}

const firstWords = (prompt: string): string => (prompt.trim().split('\n', 1)[0] ?? '').slice(0, 60);
