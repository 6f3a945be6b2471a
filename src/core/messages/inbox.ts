import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import type { Actor } from '../actor.js';
import { looseHolder } from '../tasks/claim.js';

/**
 * Who reads: a session, which gets the messages to its workers too, or one worker of a session. What is for a goal or for
 * all is given once to each of them.
 */
export interface Reader {
  holder: string;
  project: string;
  /** One worker alone. */
  worker: string | undefined;
}

/**
 * The reader that a caller is. Throws `invalid` for a caller without a session that names no worker, `conflict` for the
 * worker of another session.
 */
export async function readerOf(sql: Sql, actor: Actor, worker: string | undefined): Promise<Reader> {
  if (worker === undefined) {
    if (actor.holder !== null) return { holder: actor.holder, project: actor.project, worker };
    throw new RuntimeError(
      'invalid',
      'This caller has no session, so it must say whose messages to read.',
      'Pass worker_id, the name of your worker. People read all messages by `agent-runtime messages`.',
    );
  }
  const holder = actor.holder ?? looseHolder(worker);
  await refuseForeignWorker(sql, worker, holder);
  return { holder, project: actor.project, worker };
}

/** Throws `conflict` if a worker of this name works in another session. */
export async function refuseForeignWorker(sql: Sql, worker: string, holder: string): Promise<void> {
  const slot = await sql.get<{ holder: string }>('select holder from worker_slots where worker_id = ?', worker);
  if (!slot || slot.holder === holder) return;
  throw new RuntimeError(
    'conflict',
    `Worker ${worker} works in another session (${slot.holder}).`,
    'Pass the name of your own worker as worker_id, or none.',
  );
}

/** What stands for a reader in `message_receipts`. Messages to a worker are the worker's, whichever session it is in. */
export const readerKey = ({ holder, worker }: Reader): string => (worker === undefined ? holder : workerKey(worker));
export const workerKey = (worker: string): string => `worker:${worker}`;

/** SQL: the key in `message_receipts` of the reader of a message `m`; takes the reader's key. */
const keyOfMessage = "case when m.to_kind = 'worker' then 'worker:' || m.to_id else ? end";

/** The condition on messages `m`: they are for this reader, who has not been given them yet. */
export function unreadBy(reader: Reader, now: number): Fragment {
  const { text, values } = addressedTo(reader, now);
  return {
    text: `${text} and not exists (
      select 1 from message_receipts r where r.message_id = m.id and r.reader = ${keyOfMessage})`,
    values: [...values, readerKey(reader)],
  };
}

/** The condition on messages `m`: they are for this reader, and not their own. */
export function addressedTo(reader: Reader, now: number): Fragment {
  const ways = [
    ...(reader.worker === undefined ? toSession(reader) : toWorker(reader.worker)),
    ...toSeveral(reader, now),
  ];
  return {
    text: `(${ways.map(({ text }) => `(${text})`).join(' or ')})`,
    values: ways.flatMap(({ values }) => values),
  };
}

const toWorker = (worker: string): Fragment[] => [{ text: "m.to_kind = 'worker' and m.to_id = ?", values: [worker] }];

/** Its own, and those to the workers that it has now. */
const toSession = ({ holder }: Reader): Fragment[] => [
  { text: "m.to_kind = 'session' and m.to_id = ?", values: [holder] },
  {
    text: `m.to_kind = 'worker' and m.to_id in (
      select worker_id from worker_slots where holder = ?
      union select worker_id from tasks where claimed_by = ? and status = 'in_progress' and worker_id is not null)`,
    values: [holder, holder],
  },
];

/** Those to a goal that the reader works or has worked on, and those to all sessions that live until they expire. */
function toSeveral({ holder, project, worker }: Reader, now: number): Fragment[] {
  const isOwn = worker === undefined ? 'm.sender is not distinct from ?' : 'm.sender_worker is not distinct from ?';
  const own = worker ?? holder;
  return [
    {
      text: `m.to_kind = 'goal' and not (${isOwn}) and exists (
        select 1 from tasks t where t.goal_id = m.goal_id and t.claimed_by = ?
          and (t.worker_id is null or t.worker_id = coalesce(cast(? as text), t.worker_id)))`,
      values: [own, holder, worker ?? null],
    },
    {
      text: `m.to_kind = 'all' and not (${isOwn}) and m.project in ('', ?) and (m.expires_at > ? or exists (
        select 1 from sessions s where s.holder = ? and s.started_at < m.expires_at
          and (s.ended_at is null or s.ended_at >= m.sent_at)))`,
      values: [own, project, now, holder],
    },
  ];
}
