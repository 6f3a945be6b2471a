import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { type Fragment, is, where } from '../../store/where.js';
import type { EventSubject } from '../events/event-types.js';
import { type Event, listEvents, readEvents } from '../events/events.js';
import { ofGoal } from '../events/of-goal.js';
import { numberIn, patternsFor, wordsOf } from '../tasks/containing.js';

/** What changes can be filtered by: the things they are about, and moves of worktrees, which are changes of their owners. */
export type ActivityKind = EventSubject | 'worktree';

export interface ActivityFilter {
  kind?: ActivityKind | undefined;
  /** Of the kind's thing with this id. */
  subjectId?: string | undefined;
  /** Of exactly this type. */
  type?: string | undefined;
  /** As records name them: `session:ID`, `user:NAME`, `loose:WORKER`. */
  actor?: string | undefined;
  /** Changes of this goal, of its tasks and of its jobs. */
  goalId?: number | undefined;
  /** Words that all occur in what a change says, or in the names of what it is about. */
  text?: string | undefined;
  since?: EpochMs | undefined;
  beforeId?: number | undefined;
  limit: number;
}

/** Events that are looked at for one page of a text: the rest is for the next. */
const mostLookedAt = 50_000;

export interface ActivityPage {
  events: Event[];
  /** Where the next page begins: below this id. Undefined at the end. */
  nextBeforeId: number | undefined;
}

/** A page of changes that meet the filter, newest first. */
export async function readActivity(sql: Sql, filter: ActivityFilter): Promise<ActivityPage> {
  const { kind, subjectId, type, actor, goalId, text, since, beforeId, limit } = filter;
  const subject = kind === 'worktree' ? undefined : kind;
  if (kind !== 'worktree' && type === undefined && actor === undefined && goalId === undefined && text === undefined) {
    const events = await listEvents(sql, { subject, subjectId, since, beforeId, limit: limit + 1 });
    return { events: events.slice(0, limit), nextBeforeId: events.length > limit ? events[limit - 1]?.id : undefined };
  }
  const first = beforeId ?? (await newestId(sql)) + 1;
  const floor = text === undefined ? 0 : Math.max(0, first - mostLookedAt);
  const found = where(
    is('id < ?', first),
    is('id >= ?', floor),
    // With an id its index is used; without one that index would make the planner read and sort all of a subject.
    is(subjectId === undefined ? "subject || '' = ?" : 'subject = ?', subject),
    is('subject_id = ?', subjectId),
    kind === 'worktree' && is("type like 'worktree~_%' escape '~'"),
    is('type = ?', type),
    is('actor = ?', actor),
    is('at >= ?', since),
    goalId === undefined ? undefined : ofGoal(goalId),
    ...wordsOf(text).map(saying),
  );
  const events = await readEvents(sql, found, limit + 1);
  const nextBeforeId = events.length > limit ? events[limit - 1]?.id : floor > 0 ? floor : undefined;
  return { events: events.slice(0, limit), nextBeforeId };
}

async function newestId(sql: Sql): Promise<number> {
  const row = await sql.get<{ id: number | null }>('select max(id) as id from events');
  return row?.id ?? 0;
}

/** SQL: whether a word occurs in an event, or in the name of what it is about. */
function saying(word: string): Fragment {
  const likes: string[] = [];
  const values: string[] = [];
  const number = numberIn(word);
  if (number !== undefined) return { text: "(subject = 'task' and subject_id = ?)", values: [String(number)] };
  for (const pattern of patternsFor(word)) {
    likes.push(
      "lower(replace(type, '_', ' ')) like ? escape '\\'",
      "lower(subject_id) like ? escape '\\'",
      "lower(coalesce(actor, '')) like ? escape '\\'",
      "lower(coalesce(data, '')) like ? escape '\\'",
      "(subject = 'task' and subject_id in (select cast(t.id as text) from tasks t where lower(t.title) like ? escape '\\'))",
      "(subject = 'goal' and subject_id in (select cast(g.id as text) from goals g where lower(g.name) like ? escape '\\'))",
      "(subject = 'relay' and subject_id in (select p.id from relay_pipelines p where lower(p.name) like ? escape '\\'))",
    );
    values.push(...Array.from({ length: 7 }, () => pattern));
  }
  return { text: `(${likes.join(' or ')})`, values };
}

/** The goals of tasks, by the task's id as text. */
export async function readGoalsOfTasks(sql: Sql, ids: readonly string[]): Promise<Map<string, number>> {
  const numbers = [...new Set(ids)].filter((id) => /^\d{1,12}$/.test(id)).map(Number);
  if (numbers.length === 0) return new Map();
  const rows = await sql.all<{ id: number; goal: number }>(
    `select id, goal_id as goal from tasks where goal_id is not null and id in (${numbers.map(() => '?').join(', ')})`,
    ...numbers,
  );
  return new Map(rows.map(({ id, goal }) => [String(id), goal]));
}

const mostActors = 100;

/** Who has done something, as records name them: those of the newest changes. */
export async function readActors(sql: Sql): Promise<string[]> {
  const rows = await sql.all<{ actor: string }>(
    `select actor from events where actor is not null and id > (select coalesce(max(id), 0) from events) - 20000
     group by actor order by max(id) desc limit ?`,
    mostActors,
  );
  return rows.map(({ actor }) => actor);
}
