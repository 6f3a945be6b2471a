import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type Json, readJson } from '../../base/json.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import type { Change } from '../change.js';
import type { Acknowledgement } from '../events/event-types.js';
import { recordEvents } from '../events/events.js';
import { markReadByPerson, markUnreadByPerson } from '../jobs/read-jobs.js';
import { hasDueTasks, releaseDueTasks } from '../tasks/ready.js';
import { type NeedKind, type NeedSource, needSources } from './need-sources.js';

/** Something that goes on only when a person acts, or that a person should read. */
export interface Need {
  kind: NeedKind;
  /** Of the task, job, relay, schedule, breaker, goal or message. */
  id: string;
  since: EpochMs;
  /** Null for a job: `type` and `payload` say what it is about. */
  name: string | null;
  detail: string | null;
  /** Who works on it, or has asked for it. */
  who: string | null;
  /** Of a job. */
  type: string | null;
  payload: Json;
  taskId: number | null;
  goalId: number | null;
  /** Tokens of a spent budget. */
  spent: number | null;
  cap: number | null;
  /** Money of a spent budget, in millionths of a US dollar. */
  spentMicros: number | null;
  capMicros: number | null;
}

export interface NeedsOfKind {
  kind: NeedKind;
  /** Counted to `mostCounted`. */
  count: number;
  /** The newest first. */
  needs: Need[];
}

export interface Attention {
  /** The kinds of which there are some, the most pressing first. */
  kinds: NeedsOfKind[];
  /** When the clock alone will change something: a deadline, a start, the end of a lease. */
  nextAt: EpochMs | null;
}

/** Beyond this many of a kind nobody counts. */
export const mostCounted = 1_000;

/** What needs a person now: of each kind the newest `limit`, and how many there are. */
export async function readAttention({ db, clock }: { db: Database; clock: Clock }, limit: number): Promise<Attention> {
  const now = clock.now();
  if (await hasDueTasks(db, clock)) await db.transaction((sql) => releaseDueTasks(sql, now));
  const [nextAt, ...kinds] = await Promise.all([
    readNextAt(db, now),
    ...needSources.map((source) => readKind(db, source, now, limit)),
  ]);
  return { kinds: kinds.filter(({ count }) => count > 0), nextAt };
}

async function readKind(sql: Sql, source: NeedSource, now: EpochMs, limit: number): Promise<NeedsOfKind> {
  const open = openNeeds(source, now);
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from (select 1 as one ${open.text} limit ${mostCounted}) as counted`,
    ...open.values,
  );
  const count = row?.count ?? 0;
  return { kind: source.kind, count, needs: count === 0 ? [] : await readNeeds(sql, source, now, limit) };
}

/** Which of these need a person now. */
export async function needingAmong(
  sql: Sql,
  kind: NeedKind,
  ids: readonly string[],
  now: EpochMs,
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const source = sourceOf(kind);
  const open = openNeeds(source, now);
  const rows = await sql.all<{ id: string }>(
    `select ${source.id} as id ${open.text} and ${source.id} in (${ids.map(() => '?').join(', ')})`,
    ...open.values,
    ...ids,
  );
  return new Set(rows.map(({ id }) => id));
}

/** The rows that need a person and were not acknowledged since they do. */
function openNeeds({ kind, table, id, since, where, takesTime }: NeedSource, now: EpochMs): Fragment {
  return {
    text: `from ${table} x where ${where} and not exists (
      select 1 from acknowledgements a where a.kind = '${kind}' and a.subject_id = ${id} and a.at >= ${since})`,
    values: takesTime ? [now, now] : [],
  };
}

type NeedRow = Pick<Need, 'id' | 'since' | 'name'> & Partial<Omit<Need, 'payload' | 'kind'>> & { payload?: string };

const nothingMore = {
  detail: null,
  who: null,
  type: null,
  taskId: null,
  goalId: null,
  spent: null,
  cap: null,
  spentMicros: null,
  capMicros: null,
};

/** The texts are read of the rows that are shown, and of no others. */
async function readNeeds(sql: Sql, source: NeedSource, now: EpochMs, limit: number): Promise<Need[]> {
  const { kind, table, key, id, since, name = 'null', detail = 'null', more, takesTime } = source;
  const order = source.order ?? `${since} desc, x.${key} desc`;
  const open = openNeeds(source, now);
  const time = takesTime ? [now] : [];
  const orderTime = source.order === undefined ? time : [];
  const rows = await sql.all<NeedRow>(
    `select ${id} as id, ${since} as since, ${name} as name, ${detail} as detail${more ? `, ${more}` : ''} from ${table} x
     where x.${key} in (select x.${key} ${open.text} order by ${order} limit ?)
     order by since desc, x.${key} desc`,
    ...time,
    ...open.values,
    ...orderTime,
    limit,
  );
  return rows.map(({ payload, ...row }) => ({
    ...nothingMore,
    kind,
    ...row,
    payload: payload === undefined ? null : readJson<Json>(payload),
  }));
}

async function readNextAt(sql: Sql, now: EpochMs): Promise<EpochMs | null> {
  const row = await sql.get<{ due: EpochMs | null; start: EpochMs | null; lease: EpochMs | null }>(
    `select
       (select min(deadline_at) from tasks where deadline_at is not null and is_overdue = 0
          and status in ('pending', 'in_progress')) as due,
       (select min(not_before) from tasks where is_held = 1) as start,
       (select min(lease_expires_at) from tasks where status = 'in_progress' and lease_expires_at > ?) as lease`,
    now,
  );
  const times = [row?.due, row?.start, row?.lease].filter((at) => typeof at === 'number' && at > now) as EpochMs[];
  return times.length === 0 ? null : Math.min(...times);
}

export interface Acknowledged {
  kind: NeedKind;
  /** These alone; without them all of the kind. */
  ids?: readonly string[] | undefined;
}

/**
 * Takes note of needs: they ask for a person no longer, until they come up again. The answer of a job that no session has
 * asked for is read by that; for the session that waits for it it stays unread. Resolves to the ids. Throws `not_found`.
 */
export async function acknowledge(sql: Sql, { kind, ids }: Acknowledged, change: Change): Promise<string[]> {
  const source = sourceOf(kind);
  const found = ids ? await findSubjects(sql, source, ids) : await findOpen(sql, source, change.at);
  for (const id of found) {
    await sql.send(
      `insert into acknowledgements (kind, subject_id, at) values (?, ?, ?)
       on conflict (kind, subject_id) do update set at = excluded.at`,
      kind,
      id,
      change.at,
    );
    if (kind === 'unread_answer') await markReadByPerson(sql, id, change.at);
  }
  await recordAll(sql, source, found, 'acknowledged', change);
  return found;
}

/** Takes an acknowledgement back. Resolves to the ids of which there was one. */
export async function unacknowledge(
  sql: Sql,
  { kind, ids }: { kind: NeedKind; ids: readonly string[] },
  change: Change,
): Promise<string[]> {
  const found: string[] = [];
  for (const id of ids) {
    const row = await sql.get<{ at: EpochMs }>(
      'delete from acknowledgements where kind = ? and subject_id = ? returning at',
      kind,
      id,
    );
    if (!row) continue;
    found.push(id);
    if (kind === 'unread_answer') await markUnreadByPerson(sql, id, row.at);
  }
  await recordAll(sql, sourceOf(kind), found, 'acknowledgement_undone', change);
  return found;
}

/** Deletes the acknowledgements that were made before a time and whose subject is gone. */
export async function deleteOldAcknowledgements(sql: Sql, before: EpochMs): Promise<void> {
  for (const source of needSources) {
    await sql.run(
      `delete from acknowledgements where kind = ? and at < ?
         and not exists (select 1 from ${source.table} x where ${hasId(source, 'acknowledgements.subject_id')})`,
      source.kind,
      before,
    );
  }
}

function sourceOf(kind: NeedKind): NeedSource {
  const source = needSources.find((one) => one.kind === kind);
  if (!source) throw new Error(`There is no source of ${kind}.`);
  return source;
}

async function findOpen(sql: Sql, source: NeedSource, now: EpochMs): Promise<string[]> {
  const open = openNeeds(source, now);
  const rows = await sql.all<{ id: string }>(
    `select ${source.id} as id ${open.text} limit ${mostCounted}`,
    ...open.values,
  );
  return rows.map(({ id }) => id);
}

/** SQL: row `x` has the id that a text says. */
const hasId = ({ isNumbered }: NeedSource, text: string): string =>
  isNumbered ? `x.id = cast(${text} as bigint)` : `x.id = ${text}`;

async function findSubjects(sql: Sql, source: NeedSource, ids: readonly string[]): Promise<string[]> {
  for (const id of ids) {
    const isPossible = !source.isNumbered || /^\d{1,15}$/.test(id);
    const found = isPossible && (await sql.get(`select 1 from ${source.table} x where ${hasId(source, '?')}`, id));
    if (found) continue;
    const message = `There is no ${source.subject} ${JSON.stringify(id)}.`;
    throw new RuntimeError('not_found', message, 'It may have been deleted. Load the page again.');
  }
  return [...new Set(ids)];
}

function recordAll(
  sql: Sql,
  { subject, kind }: NeedSource,
  ids: readonly string[],
  type: Acknowledgement,
  change: Change,
): Promise<void> {
  return recordEvents(
    sql,
    ids.map((subjectId) => ({ ...change, subject, subjectId, type, data: { kind } })),
  );
}
