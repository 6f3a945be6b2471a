import type { Sql } from '../../store/sql.js';
import type { EventType } from '../events/event-types.js';
import type { NotedEvent } from '../events/events.js';
import type { TaskRow } from './task.js';

/** What a change of one task has done to others, as ids in order. */
export interface Effects {
  /** They waited for it and can be claimed now. */
  nowReady: number[];
  /** They wait for it again. */
  waitingAgain: number[];
  /** They were made of parts, and their last part is done. */
  completed: number[];
  cancelled: number[];
  skipped: number[];
  /** Its failure had stopped them. */
  reopened: number[];
  /** Its goal, where that has been completed or made active by this. */
  goal: { id: number; status: 'completed' | 'active' } | undefined;
}

type Changed = Pick<TaskRow, 'id' | 'goal_id'>;

/** What a change of one task has done to others, by the events that it has recorded (`noteEvents`). All reads are sent at once. */
export async function readEffects(sql: Sql, { id, goal_id }: Changed, events: readonly NotedEvent[]): Promise<Effects> {
  const others = (type: string) =>
    events
      .filter((event) => event.subject === 'task' && event.type === type && event.subjectId !== String(id))
      .map((event) => Number(event.subjectId))
      .sort((a, b) => a - b);
  const ofGoal = events.findLast((event) => event.subject === 'goal' && event.subjectId === String(goal_id))?.type;
  const own = events.filter((event) => event.subject === 'task' && event.subjectId === String(id));
  const move = own.findLast(({ type }) => moves.has(type))?.type;
  const hasEnded = move === 'completed' || move === 'failed' || move === 'cancelled';
  const completed = others('completed');
  const skipped = others('skipped');
  const released = [...(hasEnded ? [id] : []), ...completed, ...skipped].slice(0, mostEnded);
  const [nowReady, waitingAgain] = await Promise.all([
    released.length > 0 ? readDependents(sql, released, ready) : [],
    own.some(({ type }) => type === 'reopened') ? readDependents(sql, [id], waiting) : [],
  ]);
  return {
    nowReady,
    waitingAgain,
    completed,
    cancelled: others('cancelled'),
    skipped,
    reopened: others('reopened'),
    goal:
      goal_id !== null && (ofGoal === 'completed' || ofGoal === 'reopened')
        ? { id: goal_id, status: ofGoal === 'completed' ? 'completed' : 'active' }
        : undefined,
  };
}

/** Of more tasks that have ended at once, the dependents are not looked for. */
const mostEnded = 1_000;

/** Events by which a task gets another status. */
const moves: ReadonlySet<string> = new Set<EventType<'task'>>([
  'claimed',
  'released',
  'lapsed',
  'reopened',
  'completed',
  'failed',
  'cancelled',
  'skipped',
]);
const ready = "t.status = 'pending' and t.unfinished_dependencies = 0 and t.is_held = 0";
const waiting = "t.status = 'pending' and t.unfinished_dependencies > 0";

async function readDependents(sql: Sql, ids: readonly number[], condition: string): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `select distinct t.id from task_dependencies d join tasks t on t.id = d.task_id
     where d.depends_on in (${ids.map(() => '?').join(', ')}) and ${condition} order by t.id`,
    ...ids,
  );
  return rows.map((row) => row.id);
}
