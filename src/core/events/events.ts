import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import { readJson } from '../../base/json.js';
import type { Sql, Statement, Value } from '../../store/sql.js';
import type { Actor } from '../actor.js';

export const eventSubjects = [
  'goal',
  'task',
  'session',
  'slot',
  'job',
  'runner',
  'breaker',
  'relay',
  'server',
  'tool',
  'runtime',
] as const;
export type EventSubject = (typeof eventSubjects)[number];

export interface NewEvent {
  at: number;
  subject: EventSubject;
  subjectId: string | number;
  /** Past tense, in the subject's own words: `created`, `claimed`, `lapsed`. */
  type: string;
  actor?: Actor | undefined;
  data?: JsonObject | undefined;
}

/** What happened, in order: the audit log, the dashboard's feed, the answer to "what happened to task 12?". */
export interface Event {
  id: number;
  at: number;
  subject: EventSubject;
  subjectId: string;
  type: string;
  project: string;
  actor: string | null;
  data: JsonObject;
}

/** Appends to the log; belongs in the transaction of the change that it tells of. */
export async function recordEvent(sql: Sql, event: NewEvent): Promise<void> {
  const { text, values } = eventStatement(event);
  await sql.run(text, ...values);
}

/** What appends to the log, for a change that is written as statements. */
export function eventStatement(event: NewEvent): Statement {
  return {
    text: 'insert into events (at, subject, subject_id, type, project, actor, data) values (?, ?, ?, ?, ?, ?, ?)',
    values: [
      event.at,
      event.subject,
      String(event.subjectId),
      event.type,
      event.actor?.project ?? '',
      event.actor?.holder ?? null,
      event.data ? JSON.stringify(event.data) : null,
    ],
  };
}

export interface EventFilter {
  subject?: EventSubject | undefined;
  subjectId?: string | undefined;
  /** Epoch milliseconds; events at or after it. */
  since?: number | undefined;
  /** Events with a lower id: the page after the one that ended there. */
  beforeId?: number | undefined;
  limit: number;
}

/** The newest events that fit, newest first. Throws `invalid` for an id of nobody knows what. */
export async function listEvents(sql: Sql, filter: EventFilter): Promise<Event[]> {
  if (filter.subjectId !== undefined && filter.subject === undefined) {
    throw new RuntimeError(
      'invalid',
      'A subject_id needs its subject.',
      `Say which of ${eventSubjects.join(', ')} it is.`,
    );
  }
  // A kind of thing alone is looked for along the log: by the index of things it would all be read and sorted.
  const bySubject = filter.subjectId === undefined ? "subject || '' = ?" : 'subject = ?';
  const conditions: [text: string, value: Value | undefined][] = [
    [bySubject, filter.subject],
    ['subject_id = ?', filter.subjectId],
    ['at >= ?', filter.since],
    ['id < ?', filter.beforeId],
  ];
  const given = conditions.filter(([, value]) => value !== undefined);
  const where = given.length > 0 ? `where ${given.map(([text]) => text).join(' and ')}` : '';
  const rows = await sql.all<EventRow>(
    `select * from events ${where} order by id desc limit ?`,
    ...given.map(([, value]) => value ?? null),
    filter.limit,
  );
  return rows.map(toEvent);
}

/** Events after one, oldest first: ids grow in the order in which changes were written. */
export async function eventsAfter(sql: Pick<Sql, 'all'>, id: number, limit: number): Promise<Event[]> {
  const rows = await sql.all<EventRow>('select * from events where id > ? order by id limit ?', id, limit);
  return rows.map(toEvent);
}

/** The id of the newest event, 0 when there is none. */
export async function newestEventId(sql: Pick<Sql, 'get'>): Promise<number> {
  const row = await sql.get<{ id: number | null }>('select max(id) as id from events');
  return row?.id ?? 0;
}

interface EventRow {
  id: number;
  at: number;
  subject: EventSubject;
  subject_id: string;
  type: string;
  project: string;
  actor: string | null;
  data: string | null;
}

function toEvent({ subject_id, data, ...row }: EventRow): Event {
  return { ...row, subjectId: subject_id, data: data ? readJson<JsonObject>(data) : {} };
}
