import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { readJson } from '../../base/json.js';
import type { Micros } from '../../base/money.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { exhausted, exhaustedMoney, readBudget, readMoney, setBudget, setMoneyBudget } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { progressOf } from '../goals/goals.js';
import {
  countOpenJobs,
  findLiveRun,
  insertRun,
  isPaused,
  listLiveRuns,
  type RunPayload,
  reloadLiveRun,
  setPaused,
} from '../jobs/goal-run.js';
import { type Job, type JobRow, runGoal, toJob } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { findJob, markRead } from '../jobs/read-jobs.js';
import { findGoal, type GoalRow } from '../tasks/goal.js';
import { hasDueTasks, readyNow } from '../tasks/ready.js';
import { type AdvanceNeeds, advanceRun } from './advance-run.js';
import { storeSummary } from './run-summary.js';

export interface NewRun {
  goalId: number;
  model: string;
  /** The provider that a runner of its jobs must have. */
  requires: string;
  concurrency: number;
  /** Whether answers are judged by the acceptance criteria of their tasks; true unless given. */
  verify?: boolean | undefined;
  /** A directory of the repository of which each task gets a worktree. */
  worktreesOf?: string | undefined;
  /** The token budget of the goal, for all of its runs together; absent leaves it as it is. */
  tokenBudget?: number | undefined;
  /** The same in money. */
  budgetMicros?: Micros | undefined;
  warnings: readonly string[];
}

export type GoalRuns = ReturnType<typeof createGoalRuns>;

/**
 * Runs of goals: background jobs do the tasks of a goal until no more of them can be done. A run is a job without a
 * process. It is advanced by the transactions in which its jobs end, so it survives the end of every process.
 */
export function createGoalRuns({ db, clock }: { db: Database; clock: Clock }) {
  const onEnded: JobEnded = async (sql, job, change) => {
    if (job.type === runGoal) {
      await storeSummary(sql, job);
      const data = { run_id: job.id, status: job.status };
      return recordEvent(sql, { ...change, subject: 'goal', subjectId: job.goal_id ?? 0, type: 'run_ended', data });
    }
    // Its result is stored on its board task, so nobody needs to fetch it from the job.
    if (job.parent_id !== null) await markRead(sql, job.id, change.at);
    const run = await runAffectedBy(sql, job);
    if (run) await advanceRun(sql, run, change, { clock, onEnded });
  };

  return {
    onEnded,

    /** Starts a run, or resolves to the goal's live run; see `startRun`. */
    start: (run: NewRun, actor: Actor): Promise<{ run: Job; isRepeated: boolean }> =>
      db.transaction(async (sql) => {
        const { row, isRepeated } = await startRun(sql, run, actor, { clock, onEnded });
        return { run: toJob(row), isRepeated };
      }),

    /** The same in a transaction of the caller's; resolves to the id of the run. */
    startIn: async (sql: Sql, run: NewRun, actor: Actor): Promise<string> =>
      (await startRun(sql, run, actor, { clock, onEnded })).row.id,

    /**
     * Pauses the live run of a goal, or lets it go on: a paused one starts no more tasks, those that it has started go on.
     * Throws `not_found`, and `conflict` if no run works on the goal.
     */
    pause: (goalId: number, paused: boolean, actor: Actor): Promise<Job> =>
      db.transaction(async (sql) => {
        const goal = await findGoal(sql, goalId);
        const live = await findLiveRun(sql, goal.id);
        if (!live) throw nothingRuns(goal);
        refuseEnding(live, goal);
        return toJob(await pauseRun(sql, live, paused, { at: clock.now(), actor }, { clock, onEnded }));
      }),

    /** Advances the runs that something other than their own jobs has freed: a task done by a session, a time that came. */
    async sweep(): Promise<void> {
      for (const run of await listLiveRuns(db)) {
        if (!(await canAdvance(run))) continue;
        await db.transaction(async (sql) => {
          const current = await reloadLiveRun(sql, run);
          if (current) await advanceRun(sql, current, { at: clock.now() }, { clock, onEnded });
        });
      }
    },
  };

  /** Asked often, and mostly answered with no; so it takes no write lock. */
  async function canAdvance(run: JobRow): Promise<boolean> {
    const open = await countOpenJobs(db, run.id);
    if (open === 0) return true;
    if (open >= readJson<RunPayload>(run.payload).concurrency) return false;
    const ready = await db.get(`select 1 from tasks where ${readyNow} and goal_id = ? limit 1`, run.goal_id);
    return ready !== undefined || hasDueTasks(db, clock);
  }
}

/** The run that submitted a job; for the job of someone else, the run of its goal. */
async function runAffectedBy(sql: Sql, { parent_id, goal_id }: JobRow): Promise<JobRow | undefined> {
  if (parent_id !== null) {
    return sql.get<JobRow>(`select * from jobs where id = ? and type = '${runGoal}' and status = 'running'`, parent_id);
  }
  return goal_id === null ? undefined : findLiveRun(sql, goal_id);
}

/**
 * Starts a run of a goal and submits jobs for its first tasks. If the goal has a live run, that one is returned, and goes
 * on if it was paused. Throws
 * `not_found`, `conflict` if there is nothing to run, `budget_exhausted`; then nothing is stored.
 */
async function startRun(
  sql: Sql,
  run: NewRun,
  actor: Actor,
  needs: AdvanceNeeds,
): Promise<{ row: JobRow; isRepeated: boolean }> {
  const change: Change = { at: needs.clock.now(), actor };
  const goal = await findGoal(sql, run.goalId);
  const live = await findLiveRun(sql, goal.id);
  if (live) refuseEnding(live, goal);
  else await refuseNothingToDo(sql, goal);
  await setBudgets(sql, goal, run, change);
  if (live) return { row: isPaused(live) ? await pauseRun(sql, live, false, change, needs) : live, isRepeated: true };
  await refuseSpent(sql, goal);

  const row = await insertRun(
    sql,
    {
      payload: {
        goal_id: goal.id,
        model: run.model,
        concurrency: run.concurrency,
        ...(run.verify === false ? { verify: false } : {}),
        ...(run.worktreesOf === undefined ? {} : { worktrees_of: run.worktreesOf }),
      },
      requires: run.requires,
      tokenBudget: run.tokenBudget,
      warnings: run.warnings,
      project: goal.project,
    },
    change,
  );
  const data = { type: runGoal, goal_id: goal.id };
  await recordEvent(sql, { ...change, subject: 'job', subjectId: row.id, type: 'started', data });
  const started = { subject: 'goal', subjectId: goal.id, type: 'run_started', data: { run_id: row.id } } as const;
  await recordEvent(sql, { ...change, ...started });
  await advanceRun(sql, row, change, needs);
  return { row: await findJob(sql, row.id), isRepeated: false };
}

async function pauseRun(sql: Sql, run: JobRow, paused: boolean, change: Change, needs: AdvanceNeeds): Promise<JobRow> {
  if (isPaused(run) === paused) return run;
  await setPaused(sql, run, paused, change.at);
  const type = paused ? 'run_paused' : 'run_resumed';
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: run.goal_id ?? 0, type, data: { run_id: run.id } });
  await advanceRun(sql, await findJob(sql, run.id), change, needs);
  return findJob(sql, run.id);
}

const nothingRuns = (goal: GoalRow) =>
  new RuntimeError('conflict', `No run works on goal ${goal.id} "${goal.name}".`, 'Call run_goal to start one.');

function refuseEnding(run: JobRow, goal: GoalRow): void {
  if (run.cancel_requested_at === null) return;
  throw new RuntimeError(
    'conflict',
    `Run ${run.id} of goal ${goal.id} is being cancelled, and some of its jobs have not ended yet.`,
    'Call wait_for_tasks with its id, then run_goal again.',
  );
}

async function refuseNothingToDo(sql: Sql, goal: GoalRow): Promise<void> {
  if (goal.status !== 'active') {
    throw new RuntimeError(
      'conflict',
      `Goal ${goal.id} "${goal.name}" is ${goal.status}.`,
      goal.status === 'completed'
        ? 'There is nothing left to do. create_task with its goal_id opens it again.'
        : 'Set it to active with update_goal first.',
    );
  }
  const { total, cancelled } = await progressOf(sql, goal.id);
  if (total > cancelled) return;
  throw new RuntimeError(
    'conflict',
    `Goal ${goal.id} "${goal.name}" has no tasks to run${total > 0 ? `: all ${total} are cancelled` : ''}.`,
    'Call decompose_goal first, or create_task with its goal_id.',
  );
}

async function setBudgets(
  sql: Sql,
  goal: GoalRow,
  { tokenBudget, budgetMicros }: NewRun,
  change: Change,
): Promise<void> {
  if (tokenBudget === undefined && budgetMicros === undefined) return;
  if (tokenBudget !== undefined) await setBudget(sql, `goal:${goal.id}`, tokenBudget, change.at);
  if (budgetMicros !== undefined) await setMoneyBudget(sql, `goal:${goal.id}`, budgetMicros, change.at);
  const fields = [
    ...(tokenBudget === undefined ? [] : ['tokenBudget']),
    ...(budgetMicros === undefined ? [] : ['budgetMicros']),
  ];
  const data = { fields };
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: goal.id, type: 'edited', data });
}

async function refuseSpent(sql: Sql, goal: GoalRow): Promise<void> {
  const budget = await readBudget(sql, `goal:${goal.id}`);
  if (budget.cap !== null && budget.spent >= budget.cap) throw exhausted(budget, 1);
  const money = await readMoney(sql, `goal:${goal.id}`);
  if (money.cap !== null && money.spent >= money.cap) throw exhaustedMoney(money, 1);
}
