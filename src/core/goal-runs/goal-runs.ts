import type { Clock } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import { countOpenJobs, findLiveRun, type RunPayload } from '../jobs/goal-run.js';
import { type Job, type JobRow, runGoal, toJob } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { markRead } from '../jobs/read-jobs.js';
import { hasDueTasks, readyNow } from '../tasks/ready.js';
import { advanceRun } from './advance-run.js';
import { keepSummary } from './run-summary.js';
import { type NewRun, startRun } from './start-run.js';

export type GoalRuns = ReturnType<typeof createGoalRuns>;

/**
 * Runs of goals: the tasks of a goal are worked on by background jobs until none is left that can be. A run is a job
 * without a process: the transactions in which its jobs end move it, so that it lives as long as the database does.
 */
export function createGoalRuns({ db, clock }: { db: Database; clock: Clock }) {
  const onEnded: JobEnded = async (sql, job, change) => {
    if (job.type === runGoal) {
      await keepSummary(sql, job);
      const data = { run_id: job.id, status: job.status };
      return recordEvent(sql, { ...change, subject: 'goal', subjectId: job.goal_id ?? 0, type: 'run_ended', data });
    }
    // What it brought stands on its board task, and is not to be fetched from here as well.
    if (job.parent_id !== null) await markRead(sql, job.id, change.at);
    const run = await runConcerned(sql, job);
    if (run) await advanceRun(sql, run, change, { clock, onEnded });
  };

  return {
    onEnded,

    start: (wish: NewRun, actor: Actor): Promise<{ run: Job; isRepeated: boolean }> =>
      db.transaction(async (sql) => {
        const { row, isRepeated } = await startRun(sql, wish, actor, { clock, onEnded });
        return { run: toJob(row), isRepeated };
      }),

    /** Moves the runs that something else than their jobs allows to go on: a task done by a session, a time that came. */
    async sweep(): Promise<void> {
      for (const run of await db.all<JobRow>(liveRuns)) {
        if (!(await canMove(run))) continue;
        await db.transaction(async (sql) => {
          const current = await sql.get<JobRow>("select * from jobs where seq = ? and status = 'running'", run.seq);
          if (current) await advanceRun(sql, current, { at: clock.now() }, { clock, onEnded });
        });
      }
    },
  };

  /** Asked often and mostly in vain, so without the write lock. */
  async function canMove(run: JobRow): Promise<boolean> {
    const open = await countOpenJobs(db, run.id);
    if (open === 0) return true;
    if (open >= readJson<RunPayload>(run.payload).concurrency) return false;
    const ready = await db.get(`select 1 from tasks where ${readyNow} and goal_id = ? limit 1`, run.goal_id);
    return ready !== undefined || hasDueTasks(db, clock);
  }
}

const liveRuns = `select * from jobs where type = '${runGoal}' and status = 'running'`;

/** The run that made a job, or that runs the goal for which someone else did. */
async function runConcerned(sql: Sql, { parent_id, goal_id }: JobRow): Promise<JobRow | undefined> {
  if (parent_id !== null) {
    return sql.get<JobRow>(`select * from jobs where id = ? and type = '${runGoal}' and status = 'running'`, parent_id);
  }
  return goal_id === null ? undefined : findLiveRun(sql, goal_id);
}
