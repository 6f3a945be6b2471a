import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Database, Sql, Statement } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import { type Actor, recordedName } from '../actor.js';
import { type EventKind, type EventSubject, eventSubjects } from './event-types.js';

export { type EventSubject, eventSubjects } from './event-types.js';

export type NewEvent = EventKind & {
  at: EpochMs;
  subjectId: string | number;
  actor?: Actor | undefined;
  data?: JsonObject | undefined;
};

/** An entry of the audit log, which is also the dashboard's feed and the history of a task or job. */
export interface Event {
  id: number;
  at: EpochMs;
  subject: EventSubject;
  subjectId: string;
  type: string;
  project: string;
  actor: string | null;
  data: JsonObject;
}

/** Appends an event. Call it in the transaction of the change that it records. */
export async function recordEvent(sql: Sql, event: NewEvent): Promise<void> {
  const { text, values } = eventStatement(event);
  await sql.send(text, ...values);
}

const appending = 'insert into events (at, subject, subject_id, type, project, actor, data) values';
const oneEvent = '(?, ?, ?, ?, ?, ?, ?)';
const appendEvent = `${appending} ${oneEvent}`;

/** An event as it was recorded. */
export interface NotedEvent {
  subject: EventSubject;
  subjectId: string;
  type: string;
}

/** The same `sql`, and the events that are recorded by it from now on, in order. */
export function noteEvents(sql: Sql): { sql: Sql; events: readonly NotedEvent[] } {
  const events: NotedEvent[] = [];
  return {
    events,
    sql: {
      ...sql,
      send(text, ...values) {
        const [, subject, subjectId, type] = values;
        if (text === appendEvent)
          events.push({ subject: subject as EventSubject, subjectId: String(subjectId), type: String(type) });
        return sql.send(text, ...values);
      },
    },
  };
}

/** Appends several events by one statement. */
export async function recordEvents(sql: Sql, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql.send(
    `${appending} ${events.map(() => oneEvent).join(', ')}`,
    ...events.flatMap((event) => eventStatement(event).values),
  );
}

/** The statement that appends an event, for a change that is itself written as statements. */
export function eventStatement(event: NewEvent): Statement {
  return {
    text: appendEvent,
    values: [
      event.at,
      event.subject,
      String(event.subjectId),
      event.type,
      event.actor?.project ?? '',
      recordedName(event.actor),
      event.data ? JSON.stringify(event.data) : null,
    ],
  };
}

export interface EventFilter {
  subject?: EventSubject | undefined;
  subjectId?: string | undefined;
  /** None of this type. */
  exceptType?: EventKind['type'] | undefined;
  /** Events at or after it. */
  since?: EpochMs | undefined;
  /** Events with a lower id: the last id of the page before. */
  beforeId?: number | undefined;
  limit: number;
}

/** The events that match, newest first. Throws `invalid` for a `subjectId` without a `subject`. */
export const listEvents = async (sql: Sql, filter: EventFilter): Promise<Event[]> =>
  readEvents(sql, whereEvents(filter), filter.limit);

/** The events that meet a `where`, newest first. */
export async function readEvents(sql: Sql, { text, values }: Fragment, limit: number): Promise<Event[]> {
  const rows = await sql.all<EventRow>(`select * from events ${text} order by id desc limit ?`, ...values, limit);
  return rows.map(toEvent);
}

/** How many events match, on all pages. */
export const countEvents = (sql: Sql, filter: Omit<EventFilter, 'limit'>): Promise<number> =>
  countRows(sql, 'events', whereEvents({ ...filter, beforeId: undefined }));

function whereEvents(filter: Omit<EventFilter, 'limit'>): Fragment {
  if (filter.subjectId !== undefined && filter.subject === undefined) {
    throw new RuntimeError(
      'invalid',
      'A subject_id needs its subject.',
      `Pass the subject too: ${eventSubjects.join(', ')}.`,
    );
  }
  // Without an id, scan by rowid: the index of subjects would make the planner read and sort them all.
  const bySubject = filter.subjectId === undefined ? "subject || '' = ?" : 'subject = ?';
  return where(
    is(bySubject, filter.subject),
    is('subject_id = ?', filter.subjectId),
    is('type <> ?', filter.exceptType),
    is('at >= ?', filter.since),
    is('id < ?', filter.beforeId),
  );
}

/**
 * Events behind the one with this id, oldest first. With several writers at once a lower id may be committed after a
 * higher one; the engine's own order has each event behind all that could be read before it (`Database.eventOrder`).
 */
export async function eventsAfter(
  db: Pick<Database, 'all' | 'eventOrder'>,
  id: number,
  limit: number,
): Promise<Event[]> {
  const { isBehind, columns } = db.eventOrder;
  const rows = await db.all<EventRow>(
    `select * from events where ${isBehind} order by ${columns('asc')} limit ?`,
    id,
    limit,
  );
  return rows.map(toEvent);
}

/** The id of the last event in that order, 0 when there is none. */
export async function newestEventId(db: Pick<Database, 'get' | 'eventOrder'>): Promise<number> {
  const { isReadable, columns } = db.eventOrder;
  const row = await db.get<{ id: number }>(
    `select id from events where ${isReadable} order by ${columns('desc')} limit 1`,
  );
  return row?.id ?? 0;
}

interface EventRow {
  id: number;
  at: EpochMs;
  subject: EventSubject;
  subject_id: string;
  type: string;
  project: string;
  actor: string | null;
  data: string | null;
}

function toEvent({ id, at, subject, subject_id, type, project, actor, data }: EventRow): Event {
  const known = data ? readJson<JsonObject>(data) : {};
  return { id, at, subject, subjectId: subject_id, type, project, actor, data: known };
}
