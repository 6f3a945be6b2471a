import { disabledByHand, failuresUntilDown } from '../event-targets/event-target.js';

/** What can need a person, the most pressing first. */
export const needKinds = [
  'message',
  'approval',
  'dead_job',
  'failed_job',
  'failed_relay',
  'failed_schedule',
  'failed_task',
  'failed_webhook',
  'held_breaker',
  'spent_budget',
  'overdue_task',
  'stale_claim',
  'unread_answer',
] as const;
export type NeedKind = (typeof needKinds)[number];

/** Where the rows of one kind are found: all texts are SQL over a row `x`. */
export interface NeedSource {
  kind: NeedKind;
  /** Whose history tells that it was acknowledged. */
  subject: 'task' | 'goal' | 'job' | 'relay' | 'breaker' | 'message' | 'schedule' | 'runtime';
  table: string;
  key: string;
  /** Its id as text. */
  id: string;
  /** Whether that is a number in the table. */
  isNumbered?: true;
  /** Since when it needs a person: what was acknowledged before that is new again. */
  since: string;
  /** The newest first, as an index has them; by `since` unless given. */
  order?: string;
  /** With `?` for the present time, where `takesTime` says so. */
  where: string;
  takesTime?: true;
  /** Absent for jobs, whose names are made of more than a column. */
  name?: string;
  /** What went wrong, or what is to be read. */
  detail?: string;
  /** Further columns of a need. */
  more?: string;
}

const longest = 240;
const cut = (column: string): string => `substr(${column}, 1, ${longest})`;

/** Tasks of a goal that is over need nobody. */
const isOfOpenGoal = "(x.goal_id is null or x.goal_id in (select id from goals where status = 'active'))";

/** SQL: no live session waits for what job `x` answers. Who has no session reads it on the page. */
const nobodyWaits =
  '(x.submitted_by is null or x.submitted_by not in (select holder from sessions where ended_at is null))';

const isSpent = '(b.cap is not null and b.spent >= b.cap)';
const isMoneySpent = '(b.cap_micros is not null and b.spent_micros >= b.cap_micros)';

/** SQL: something of the budget of goal `x`. */
const ofBudget = (what: string): string =>
  `(select ${what} from budgets b where b.account = 'goal:' || cast(x.id as text))`;

/** In the words of the partial index of unread results. */
const isUnread = "x.read_at is null and x.status in ('completed', 'failed')";

/** The job of a failed task is told as that task. */
const isOwnMatter = `x.parent_id is null
  and (x.task_id is null or not exists (select 1 from tasks t where t.id = x.task_id and t.status = 'failed'))`;

const numbered = { key: 'id', id: 'cast(x.id as text)', isNumbered: true } as const;
const tasks = { ...numbered, subject: 'task', table: 'tasks', name: cut('x.title') } as const;
const jobs = {
  subject: 'job',
  table: 'jobs',
  key: 'seq',
  id: 'x.id',
  since: 'coalesce(x.completed_at, x.updated_at)',
  order: 'x.seq desc',
  detail: cut('x.error_message'),
  more: 'x.type, x.payload, x.task_id as "taskId", x.goal_id as "goalId"',
} as const;

/** Since when an output of relay `x` waits for a person. */
const waitingSince = '(select max(b.approval_asked_at) from relay_batons b where b.pipeline_id = x.id)';

export const needSources: readonly NeedSource[] = [
  {
    kind: 'message',
    ...numbered,
    subject: 'message',
    table: 'messages',
    since: 'x.sent_at',
    where: "x.to_kind = 'user'",
    name: cut('x.subject'),
    detail: cut('x.body'),
    more: 'coalesce(x.sender_worker, x.sender) as who',
  },
  {
    kind: 'approval',
    subject: 'relay',
    table: 'relay_pipelines',
    key: 'seq',
    id: 'x.id',
    since: waitingSince,
    where: `x.status in ('in_progress', 'failed') and ${waitingSince} is not null`,
    name: cut('x.name'),
    detail: `(select ${cut('r.agent_id')} from relay_results r join relay_batons b on b.id = r.baton_id
      where b.pipeline_id = x.id and b.approval_asked_at is not null order by r.id desc limit 1)`,
  },
  { ...jobs, kind: 'dead_job', where: 'x.is_dead = 1' },
  { ...jobs, kind: 'failed_job', where: `${isUnread} and x.status = 'failed' and x.is_dead = 0 and ${isOwnMatter}` },
  {
    kind: 'failed_relay',
    subject: 'relay',
    table: 'relay_pipelines',
    key: 'seq',
    id: 'x.id',
    since: 'coalesce(x.completed_at, x.updated_at)',
    where: "x.status = 'failed'",
    name: cut('x.name'),
    detail: cut('x.error_message'),
  },
  {
    kind: 'failed_schedule',
    subject: 'schedule',
    table: 'schedules',
    key: 'id',
    id: 'x.id',
    since: 'x.last_at',
    where: "x.last_outcome = 'failed'",
    name: cut('x.name'),
    detail: cut('x.last_error'),
  },
  {
    ...tasks,
    kind: 'failed_task',
    since: 'coalesce(x.completed_at, x.updated_at)',
    order: 'x.completed_at desc, x.id desc',
    where: `x.status = 'failed' and x.status in ('completed', 'failed', 'cancelled') and ${isOfOpenGoal}`,
    detail: cut('x.error'),
    more: 'x.goal_id as "goalId", coalesce(x.worker_id, x.claimed_by) as who',
  },
  {
    kind: 'failed_webhook',
    subject: 'runtime',
    table: 'event_targets',
    key: 'id',
    id: 'x.id',
    since: 'coalesce(x.failing_since, x.updated_at)',
    where: `((x.status = 'active' and x.failures >= ${failuresUntilDown})
      or (x.status = 'disabled' and x.disabled_why <> '${disabledByHand}'))`,
    name: 'x.name',
    detail: cut('coalesce(x.disabled_why, x.last_error)'),
  },
  {
    kind: 'held_breaker',
    subject: 'breaker',
    table: 'breakers',
    key: 'id',
    id: 'x.id',
    since: 'x.updated_at',
    where: 'x.is_held = 1',
    name: 'x.id',
    detail: cut('x.reason'),
  },
  {
    ...numbered,
    kind: 'spent_budget',
    subject: 'goal',
    table: 'goals',
    since: ofBudget('b.updated_at'),
    where: `x.status = 'active' and ${ofBudget(`case when ${isSpent} or ${isMoneySpent} then 1 else 0 end`)} = 1`,
    name: cut('x.name'),
    more: `x.id as "goalId", ${ofBudget(`case when ${isSpent} then b.spent end`)} as spent,
      ${ofBudget(`case when ${isSpent} then b.cap end`)} as cap,
      ${ofBudget(`case when ${isMoneySpent} then b.spent_micros end`)} as "spentMicros",
      ${ofBudget(`case when ${isMoneySpent} then b.cap_micros end`)} as "capMicros"`,
  },
  {
    ...tasks,
    kind: 'overdue_task',
    since: 'x.deadline_at',
    where: "x.is_overdue = 1 and x.status in ('pending', 'in_progress')",
    more: 'x.goal_id as "goalId", coalesce(x.worker_id, x.claimed_by) as who',
  },
  {
    // A claim whose lease is over is freed by the next sweep; one whose session has ended keeps its task until then.
    ...tasks,
    kind: 'stale_claim',
    since: `case when x.lease_expires_at <= ? then x.lease_expires_at else
      (select max(s.ended_at) from sessions s where s.holder = x.claimed_by) end`,
    where: `x.status = 'in_progress' and (x.lease_expires_at <= ? or (
      exists (select 1 from sessions s where s.holder = x.claimed_by and s.ended_at is not null)
      and not exists (select 1 from sessions s where s.holder = x.claimed_by and s.ended_at is null)))`,
    takesTime: true,
    more: 'x.goal_id as "goalId", coalesce(x.worker_id, x.claimed_by) as who',
  },
  {
    ...jobs,
    kind: 'unread_answer',
    where: `${isUnread} and x.status = 'completed' and x.parent_id is null and ${nobodyWaits}`,
    detail: 'null',
    more: `${jobs.more}, x.submitted_by as who`,
  },
];
