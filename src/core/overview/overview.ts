import type { Clock, EpochMs } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import type { Actor } from '../actor.js';
import { type TrippedBreaker, trippedBreakers } from '../breakers/list-breakers.js';
import { readJobCounts } from '../jobs/job-counts.js';
import { readUnread, type Unread } from '../messages/messages.js';
import { explainWaiting } from '../tasks/ready.js';
import type { TaskRow } from '../tasks/task.js';
import { readTaskCounts } from '../tasks/task-counts.js';

export interface HeldTask {
  id: number;
  key: string | null;
  title: string;
  goalId: number | null;
  claimToken: number;
  claimedBy: string;
  workerId: string | null;
  leaseExpiresAt: EpochMs;
}

export interface WaitingTask {
  id: number;
  title: string;
  because: string;
}

export interface OpenGoal {
  id: number;
  name: string;
  total: number;
  completed: number;
}

export interface OpenJob {
  id: string;
  type: string;
  status: string;
  payload: string;
}

export interface Overview {
  ready: number;
  waiting: number;
  inProgress: number;
  failed: number;
  overdue: number;
  liveSessions: number;
  heldSlots: number;
  liveRunners: number;
  liveWorkers: number;
  runningJobs: number;
  pendingJobs: number;
  /** The newest first, a few of each. */
  goals: OpenGoal[];
  claims: HeldTask[];
  ownClaims: HeldTask[];
  ownSlots: { slot: number; workerId: string; taskId: number | null }[];
  waitingTasks: WaitingTask[];
  /** Globs that it has reserved. */
  ownPaths: string[];
  ownJobs: OpenJob[];
  /** Jobs that have ended and whose results were not read yet. */
  unread: OpenJob[];
  unreadMessages: Unread;
  openBreakers: TrippedBreaker[];
  openRelays: { id: string; name: string; currentStep: number; totalSteps: number }[];
}

/** So many of each kind are listed; the rest are only counted. */
const few = 5;

/** The work under way, for a caller that has lost its context: its own, and that of others. */
export async function readOverview(
  { db, clock }: { db: Database; clock: Clock },
  actor: Actor,
  sessionId?: string,
): Promise<Overview> {
  const scope: Fragment =
    actor.project === '' ? { text: '', values: [] } : { text: "and project in (?, '')", values: [actor.project] };
  const board = await readBoard(db, actor.project === '' ? undefined : actor.project, scope, clock.now());
  const holder = actor.holder ?? '';
  return {
    ...board,
    liveSessions: await countSessions(db, sessionId),
    heldSlots: await count(db, 'worker_slots'),
    liveRunners: await count(db, "runners where state in ('starting', 'running', 'waiting')"),
    liveWorkers: await count(db, "queue_workers where state in ('running', 'draining')"),
    runningJobs: await count(db, "jobs where status = 'running' and runner_id is not null"),
    pendingJobs: (await readJobCounts(db, {})).pending,
    goals: await db.all(
      `select id, name,
         (select cast(coalesce(sum(count), 0) as bigint) from task_counts c where c.goal_id = g.id and c.state <> 'overdue') as total,
         (select cast(coalesce(sum(count), 0) as bigint) from task_counts c where c.goal_id = g.id and c.state = 'completed') as completed
       from goals g where status = 'active' ${scope.text} order by id desc limit ?`,
      ...scope.values,
      few,
    ),
    claims: await claimsWhere(db, 'claimed_by <> ?', holder),
    ownClaims: await claimsWhere(db, 'claimed_by = ?', holder),
    ownSlots: await db.all(
      'select slot, worker_id as "workerId", task_id as "taskId" from worker_slots where holder = ? order by slot limit ?',
      holder,
      few,
    ),
    ownPaths: await readPaths(db, holder),
    waitingTasks: await readWaiting(db, scope, clock.now()),
    ownJobs: await db.all(
      "select id, type, status, payload from jobs where submitted_by = ? and status in ('pending', 'running') order by seq desc limit ?",
      holder,
      few,
    ),
    unread: await readUnreadJobs(db, scope),
    unreadMessages: await readUnread(db, actor, clock.now()),
    openBreakers: await trippedBreakers(db, clock, few),
    openRelays: await db.all(
      `select id, name, current_step as "currentStep", total_steps as "totalSteps" from relay_pipelines
       where status in ('pending', 'in_progress') ${scope.text} order by created_at desc limit ?`,
      ...scope.values,
      few,
    ),
  };
}

/** The newest ones of both statuses: an index has the unread of each in order. */
function readUnreadJobs(sql: Sql, scope: Fragment): Promise<OpenJob[]> {
  const newest = (status: string) => `
    select * from (
      select seq, id, type, status, payload from jobs
      where status = '${status}' and read_at is null and status in ('completed', 'failed') ${scope.text}
      order by seq desc limit ?) as ${status}`;
  return sql.all(
    `select id, type, status, payload from (${newest('completed')} union all ${newest('failed')}) as unread
     order by seq desc limit ?`,
    ...scope.values,
    few,
    ...scope.values,
    few,
    few,
  );
}

async function readPaths(sql: Sql, holder: string): Promise<string[]> {
  const rows = await sql.all<{ pattern: string }>(
    'select pattern from path_reservations where holder = ? order by id limit ?',
    holder,
    few,
  );
  return rows.map(({ pattern }) => pattern);
}

/** The caller's own session counts from its first call on: its row may not be written yet. */
async function countSessions(sql: Sql, own: string | undefined): Promise<number> {
  const row = await sql.get<{ count: number }>(
    'select count(*) as count from sessions where ended_at is null and id is distinct from ?',
    own ?? null,
  );
  return (row?.count ?? 0) + (own === undefined ? 0 : 1);
}

/** From the stored counts, and from what the clock has changed since: a task may be due that is still held, or overdue unmarked. */
async function readBoard(sql: Sql, withinProject: string | undefined, scope: Fragment, now: EpochMs) {
  const counts = await readTaskCounts(sql, { withinProject });
  // What is counted stands in the filter: as a condition it would lead the planner away from the small index.
  const inScope = scope.text.replace(/^and /, '') || 'true';
  const held = await sql.get<{ due: number }>(
    `select count(*) filter (where status = 'pending' and unfinished_dependencies = 0 and ${inScope}) as due
     from tasks where is_held = 1 and not_before <= ?`,
    ...scope.values,
    now,
  );
  const due = held?.due ?? 0;
  const unmarked = await sql.get<{ late: number }>(
    `select count(*) filter (where ${inScope}) as late from tasks
     where deadline_at is not null and deadline_at <= ? and is_overdue = 0 and status in ('pending', 'in_progress')`,
    ...scope.values,
    now,
  );
  const late = unmarked?.late ?? 0;
  return {
    ready: counts.ready + due,
    waiting: counts.waiting - due,
    inProgress: counts.in_progress,
    failed: counts.failed,
    overdue: counts.overdue + late,
  };
}

async function readWaiting(sql: Sql, scope: Fragment, now: EpochMs): Promise<WaitingTask[]> {
  const rows = await sql.all<TaskRow>(
    `select * from tasks where status = 'pending' and (unfinished_dependencies > 0 or is_held = 1)
       and (unfinished_dependencies > 0 or not_before > ?) ${scope.text}
     order by priority desc, id limit ?`,
    now,
    ...scope.values,
    few,
  );
  const waiting: WaitingTask[] = [];
  for (const row of rows) {
    const because = await explainWaiting(sql, row);
    if (because) waiting.push({ id: row.id, title: row.title, because });
  }
  return waiting;
}

function claimsWhere(sql: Sql, condition: string, holder: string): Promise<HeldTask[]> {
  return sql.all<HeldTask>(
    `select id, key, title, goal_id as "goalId", claim_token as "claimToken", claimed_by as "claimedBy",
       worker_id as "workerId", lease_expires_at as "leaseExpiresAt"
     from tasks where status = 'in_progress' and ${condition} order by id limit ?`,
    holder,
    few,
  );
}

async function count(sql: Sql, what: string): Promise<number> {
  const row = await sql.get<{ count: number }>(`select count(*) as count from ${what}`);
  return row?.count ?? 0;
}
