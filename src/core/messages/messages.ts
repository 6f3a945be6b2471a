import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import type { Actor } from '../actor.js';
import { recordEvent, recordEvents } from '../events/events.js';
import { looseHolder } from '../tasks/claim.js';
import { findAddress } from './address.js';
import { addressedTo, type Reader, readerKey, readerOf, refuseForeignWorker, unreadBy, workerKey } from './inbox.js';
import {
  addressText,
  type Importance,
  type Message,
  type MessageRow,
  plainLine,
  plainText,
  toMessage,
} from './message.js';

export interface NewMessage {
  to: string;
  subject: string;
  body: string;
  importance?: Importance | undefined;
  /** A message that this one answers. */
  thread?: number | undefined;
  /** The worker of the caller that sends it. */
  worker?: string | undefined;
}

export interface Query {
  worker?: string | undefined;
  /** Every message of this thread that the reader sent or may read, whether read or not. */
  thread?: number | undefined;
  /** Those that were read before too, the newest first. */
  withRead?: boolean | undefined;
  /** Leaves them unread. */
  isPeek?: boolean | undefined;
  limit: number;
  /** Characters of bodies in one answer; the first message comes whatever its length. */
  mostCharacters: number;
}

export interface Received {
  messages: Message[];
  /** How many unread ones are left. */
  unread: number;
}

/** What waits for a reader: how many, and the most important ones. */
export interface Unread {
  count: number;
  first: Message[];
}

export const nothingUnread: Unread = { count: 0, first: [] };

/** A message to all reaches the sessions that begin until then. */
export const allLastMs = 24 * 3_600_000;
/** A message to a worker or a session waits so long before a purge may take it. */
export const oneLastsMs = 30 * allLastMs;

export type Messages = ReturnType<typeof createMessages>;

/** Messages between sessions, workers and people. Each is given once to each of its readers. */
export function createMessages({ db, clock }: { db: Database; clock: Clock }) {
  return {
    /** Throws `not_found` for an unknown addressee or thread, `invalid` for an empty text. */
    send: (message: NewMessage, actor: Actor): Promise<Message> =>
      db.transaction((sql) => sendMessage(sql, message, actor, clock.now()), { beside: true }),

    /** Gives a reader its messages, and marks them as read. Throws `invalid`, `conflict` for a reader that is none. */
    receive: (query: Query, actor: Actor): Promise<Received> =>
      query.isPeek
        ? readMessages(db, query, actor, clock.now())
        : db.transaction((sql) => readMessages(sql, query, actor, clock.now())),

    /** What waits for a caller; nothing for one without a session that names no worker. */
    unread: (actor: Actor, worker?: string): Promise<Unread> => readUnread(db, actor, clock.now(), worker),

    /** The messages of a project or of all, newest first, whoever they are for. For people. */
    async list(filter: MessageFilter): Promise<Message[]> {
      const found = listed(filter);
      const rows = await db.all<MessageRow>(
        `select * from messages ${found.text} order by id desc limit ?`,
        ...found.values,
        filter.limit,
      );
      return rows.map(toMessage);
    },

    count: (filter: Omit<MessageFilter, 'limit'>): Promise<number> =>
      countRows(db, 'messages', listed({ ...filter, beforeId: undefined })),
  };
}

export interface MessageFilter {
  /** Those of this project and of none. */
  withinProject?: string | undefined;
  thread?: number | undefined;
  beforeId?: number | undefined;
  limit: number;
}

const listed = ({ withinProject, thread, beforeId }: Omit<MessageFilter, 'limit'>) =>
  where(is("project in ('', ?)", withinProject), is('coalesce(thread_id, id) = ?', thread), is('id < ?', beforeId));

async function sendMessage(sql: Sql, message: NewMessage, actor: Actor, at: number): Promise<Message> {
  const to = await findAddress(sql, message.to);
  const { holder, worker } = await senderOf(sql, actor, message.worker);
  const row = await insertRow<MessageRow>(sql, 'messages', {
    thread_id: message.thread === undefined ? null : await findThread(sql, message.thread),
    project: actor.project,
    sender: holder,
    sender_worker: worker ?? null,
    to_kind: to.kind,
    to_id: to.id,
    goal_id: to.goalId,
    subject: requireText(plainLine(message.subject), 'subject'),
    body: requireText(plainText(message.body), 'body'),
    importance: message.importance ?? 'normal',
    sent_at: at,
    expires_at: to.kind === 'goal' ? null : at + (to.kind === 'all' ? allLastMs : oneLastsMs),
  });
  const sent = toMessage(row);
  const data = { to: addressText(to), from: sent.from, subject: sent.subject };
  await recordEvent(sql, { at, actor, subject: 'message', subjectId: row.id, type: 'sent', data });
  return sent;
}

function requireText(text: string, field: string): string {
  if (text.trim() !== '') return text;
  throw new RuntimeError('invalid', `The ${field} is empty.`, `Pass a ${field} that can be read.`);
}

/** A session with one worker that has a name speaks as that worker, so that an answer finds it after a restart too. */
async function senderOf(
  sql: Sql,
  actor: Actor,
  worker: string | undefined,
): Promise<{ holder: string | null; worker: string | undefined }> {
  if (worker !== undefined) {
    const holder = actor.holder ?? looseHolder(worker);
    await refuseForeignWorker(sql, worker, holder);
    return { holder, worker };
  }
  if (actor.holder === null) return { holder: null, worker };
  const slots = await sql.all<{ worker_id: string; is_named: number }>(
    'select worker_id, is_named from worker_slots where holder = ? limit 2',
    actor.holder,
  );
  const [only] = slots;
  return { holder: actor.holder, worker: slots.length === 1 && only?.is_named === 1 ? only.worker_id : undefined };
}

async function findThread(sql: Sql, id: number): Promise<number> {
  const row = await sql.get<{ thread: number }>(
    'select coalesce(thread_id, id) as thread from messages where id = ?',
    id,
  );
  if (row) return row.thread;
  throw new RuntimeError('not_found', `No message has id ${id}.`, 'Pass the id or thread of a message you have got.');
}

async function readMessages(sql: Sql, query: Query, actor: Actor, now: number): Promise<Received> {
  const reader = await readerOf(sql, actor, query.worker);
  const unread = unreadBy(reader, now);
  const found = await wanted(sql, query, reader, now);
  const rows = await sql.all<FoundRow>(
    `select m.*, case when ${unread.text} then 1 else 0 end as is_unread from messages m
     where ${found.text} order by ${found.order} limit ?`,
    ...unread.values,
    ...found.values,
    query.limit,
  );
  const given = thatFit(rows, query.mostCharacters);
  if (!query.isPeek) await markAsRead(sql, given, reader, actor, now);
  return { messages: given.map(toMessage), unread: await countUnread(sql, unread) };
}

type FoundRow = MessageRow & { is_unread: number };

/** Which messages a query asks for, and in which order. */
async function wanted(sql: Sql, query: Query, reader: Reader, now: number): Promise<Fragment & { order: string }> {
  const mine = addressedTo(reader, now);
  if (query.thread !== undefined) {
    const own = reader.worker === undefined ? 'm.sender = ?' : 'm.sender_worker = ?';
    return {
      text: `coalesce(m.thread_id, m.id) = ? and (${mine.text} or ${own})`,
      values: [await findThread(sql, query.thread), ...mine.values, reader.worker ?? reader.holder],
      order: 'm.id',
    };
  }
  if (query.withRead) return { ...mine, order: 'is_unread desc, m.id desc' };
  return { ...unreadBy(reader, now), order: `${byImportance}, m.id` };
}

const byImportance = "case m.importance when 'high' then 0 when 'normal' then 1 else 2 end";

function thatFit(rows: readonly FoundRow[], mostCharacters: number): FoundRow[] {
  let characters = 0;
  return rows.filter(({ body }, index) => {
    characters += body.length;
    return index === 0 || characters <= mostCharacters;
  });
}

async function markAsRead(
  sql: Sql,
  rows: readonly FoundRow[],
  reader: Reader,
  actor: Actor,
  at: number,
): Promise<void> {
  const unread = rows.filter(({ is_unread }) => is_unread === 1);
  for (const { id, to_kind, to_id } of unread) {
    await sql.send(
      'insert into message_receipts (message_id, reader, read_at) values (?, ?, ?)',
      id,
      to_kind === 'worker' ? workerKey(to_id) : readerKey(reader),
      at,
    );
  }
  const data = { by: reader.worker ?? reader.holder };
  await recordEvents(
    sql,
    unread.map(({ id }) => ({ at, actor, subject: 'message', subjectId: id, type: 'read', data })),
  );
}

async function countUnread(sql: Sql, { text, values }: Fragment): Promise<number> {
  const row = await sql.get<{ count: number }>(`select count(*) as count from messages m where ${text}`, ...values);
  return row?.count ?? 0;
}

const fewest = 3;

/** What waits for a caller; nothing for one without a session that names no worker. */
export async function readUnread(sql: Sql, actor: Actor, now: number, worker?: string): Promise<Unread> {
  if (actor.holder === null && worker === undefined) return nothingUnread;
  const loose = actor.holder === null ? worker : undefined;
  const reader = { holder: actor.holder ?? looseHolder(worker), project: actor.project, worker: loose };
  const unread = unreadBy(reader, now);
  const count = await countUnread(sql, unread);
  if (count === 0) return { count, first: [] };
  const rows = await sql.all<MessageRow>(
    `select m.* from messages m where ${unread.text} order by ${byImportance}, m.id limit ?`,
    ...unread.values,
    fewest,
  );
  return { count, first: rows.map(toMessage) };
}
