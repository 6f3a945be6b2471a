import type { EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { TaskRow, TaskStatus } from './task.js';

/** The result of a task that another depends on. */
export interface DependencyResult {
  id: number;
  title: string;
  status: TaskStatus;
  result: string | null;
  error: string | null;
}

export interface TaskNote {
  at: EpochMs;
  by: string | null;
  note: string;
}

/** How a worker's time on a task ended. */
export interface EarlierAttempt {
  endedAt: EpochMs;
  by: string | null;
  /** `lapsed`: its worker vanished; `released`: it was given back. */
  outcome: 'completed' | 'failed' | 'lapsed' | 'released';
  error: string | null;
}

/** What those who worked on a task before left to the next. */
export interface TaskHistory {
  /** The newest notes, oldest first. */
  notes: TaskNote[];
  /** How many notes there are in all. */
  noteCount: number;
  /** The last attempts, oldest first. */
  attempts: EarlierAttempt[];
}

const mostNotes = 10;
const mostAttempts = 5;
const endTypes = ['completed', 'failed', 'lapsed', 'released'];
/** The events that tell of a task's history. */
export const historyTypes: readonly string[] = ['note', ...endTypes];
/** How many of them the first look reads: mostly there are few or none, and it tells all. */
export const oneLook = 40;

/** Reads the notes on a task and how earlier attempts ended, from the audit log. */
export async function readHistory(sql: Sql, task: Pick<TaskRow, 'id' | 'status'>): Promise<TaskHistory> {
  return historyFrom(sql, task, await newestRows(sql, task.id, historyTypes, oneLook));
}

/** The history of a task, of whose newest events a first look has read these, oldest first. */
export async function historyFrom(
  sql: Sql,
  task: Pick<TaskRow, 'id' | 'status'>,
  firstLook: readonly HistoryRow[],
): Promise<TaskHistory> {
  const newest = firstLook.map(toHistoryEvent);
  const isAll = newest.length < oneLook;
  const ofType = (types: readonly string[]) => newest.filter(({ type }) => types.includes(type));
  const notes = isAll ? ofType(['note']) : await newestEvents(sql, task.id, ['note'], mostNotes);
  const noteCount = isAll ? notes.length : await countNotes(sql, task.id);
  const ends = isAll ? ofType(endTypes) : await newestEvents(sql, task.id, endTypes, mostAttempts);
  // The end of a completed task is its result, not an earlier attempt.
  if (task.status === 'completed' && ends.at(-1)?.type === 'completed') ends.pop();
  return {
    notes: notes.slice(-mostNotes).map(({ at, actor, data }) => ({ at, by: actor, note: textOf(data.note) ?? '' })),
    noteCount,
    attempts: ends.slice(-mostAttempts).map(({ at, actor, type, data }) => ({
      endedAt: at,
      by: textOf(data.held_by) ?? actor,
      outcome: type as EarlierAttempt['outcome'],
      error: textOf(data.error) ?? null,
    })),
  };
}

async function countNotes(sql: Sql, taskId: number): Promise<number> {
  const row = await sql.get<{ count: number }>(
    "select count(*) as count from events where subject = 'task' and subject_id = ? and type = 'note'",
    String(taskId),
  );
  return row?.count ?? 0;
}

/** The results of the tasks that a task depends on, in the order of their ids. */
export function readDependencyResults(sql: Sql, taskId: number, limit: number): Promise<DependencyResult[]> {
  return sql.all<DependencyResult>(
    `select t.id, t.title, t.status, t.result, t.error from task_dependencies d join tasks t on t.id = d.depends_on
     where d.task_id = ? order by t.id limit ?`,
    taskId,
    limit,
  );
}

interface HistoryRow {
  at: EpochMs;
  type: string;
  actor: string | null;
  data: string | null;
}

type HistoryEvent = Omit<HistoryRow, 'data'> & { data: JsonObject };

const toHistoryEvent = (row: HistoryRow): HistoryEvent => ({
  ...row,
  data: row.data === null ? {} : readJson<JsonObject>(row.data),
});

/** The newest events of these types, oldest first. */
async function newestEvents(
  sql: Sql,
  taskId: number,
  types: readonly string[],
  limit: number,
): Promise<HistoryEvent[]> {
  return (await newestRows(sql, taskId, types, limit)).map(toHistoryEvent);
}

async function newestRows(sql: Sql, taskId: number, types: readonly string[], limit: number): Promise<HistoryRow[]> {
  const rows = await sql.all<HistoryRow>(
    `select at, type, actor, data from events where subject = 'task' and subject_id = ?
       and type in (${types.map(() => '?').join(', ')}) order by id desc limit ?`,
    String(taskId),
    ...types,
    limit,
  );
  return rows.reverse();
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
