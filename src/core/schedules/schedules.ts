import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { JsonObject } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import type { EventType } from '../events/event-types.js';
import { recordEvent } from '../events/events.js';
import { type FiringPlan, planFiring } from './plan-firing.js';
import { type FiringOutcome, type Schedule, type ScheduleRow, toSchedule } from './schedule.js';
import { Timetable } from './timetable.js';

/** What someone sets of a schedule; the times follow from it. */
export type ScheduleDefinition = Pick<
  Schedule,
  | 'name'
  | 'project'
  | 'kind'
  | 'request'
  | 'requires'
  | 'cron'
  | 'timezone'
  | 'missed'
  | 'overlap'
  | 'status'
  | 'nextAt'
>;

export interface ScheduleFilter {
  name?: string | undefined;
  project?: string | undefined;
  afterName?: string | undefined;
  limit: number;
}

/** What a firing submits, in the transaction that claims it. Resolves to the id of what it made. */
export type Submit = (sql: Sql, dueAt: EpochMs) => Promise<string>;

/** What has come of a firing; undefined: another process has fired it, or it was changed meanwhile. */
export type Fired = { outcome: FiringOutcome; run: string | undefined; nextAt: EpochMs | null } | undefined;

export type Schedules = ReturnType<typeof createSchedules>;

/**
 * Schedules: what is submitted at set times. Whoever lives fires them: each time is claimed in the transaction that
 * submits what it is for, so that it is fired once, whichever process does it and wherever one ends.
 */
export function createSchedules({ db, clock }: { db: Database; clock: Clock }) {
  const changeBy = (actor: Actor): Change => ({ at: clock.now(), actor });
  /** What the runtime does for the project of a schedule. */
  const ownChange = ({ project }: Schedule): Change => changeBy({ holder: null, project });

  return {
    /** The schedule of this name, of the project or of none; undefined if there is none. */
    find: async (name: string, project: string): Promise<Schedule | undefined> => {
      const row = await findRow(db, name, project);
      return row && toSchedule(row);
    },

    /** Throws `not_found`, with the names that there are. */
    async get(name: string, project: string): Promise<Schedule> {
      const row = await findRow(db, name, project);
      if (row) return toSchedule(row);
      throw await unknown(db, name, project);
    },

    /** By name. */
    async list({ limit, ...filter }: ScheduleFilter): Promise<Schedule[]> {
      const found = whereSchedules(filter);
      const rows = await db.all<ScheduleRow>(
        `${selection} ${found.text} order by name, project limit ?`,
        ...found.values,
        limit,
      );
      return rows.map(toSchedule);
    },

    count: ({ project }: Pick<ScheduleFilter, 'project'>): Promise<number> =>
      countRows(db, 'schedules s', whereSchedules({ project })),

    /**
     * Stores a new schedule, or the changes of `before`. Throws `conflict` when another has changed it since, or has made
     * one of that name.
     */
    save: (definition: ScheduleDefinition, before: Schedule | undefined, actor: Actor): Promise<Schedule> =>
      db.transaction((sql) => save(sql, definition, before, changeBy(actor))),

    /** Deletes a schedule; what it has made stays. */
    delete: (schedule: Schedule, actor: Actor): Promise<void> =>
      db.transaction(async (sql) => {
        await sql.run('delete from schedules where id = ?', schedule.id);
        await record(sql, schedule, 'deleted', {}, changeBy(actor));
      }),

    /** Active schedules whose time has come and that a process with `provides` can fire, the longest due first. */
    async due(provides: readonly string[], limit: number): Promise<Schedule[]> {
      const able = requirable(provides);
      const rows = await db.all<ScheduleRow>(
        `${selection} where s.status = 'active' and s.next_at <= ? and ${able.text} order by s.next_at, s.id limit ?`,
        clock.now(),
        ...able.values,
        limit,
      );
      return rows.map(toSchedule);
    },

    /** When the next active schedule is due that a process with `provides` can fire. */
    async nextDueAt(provides: readonly string[]): Promise<EpochMs | undefined> {
      const able = requirable(provides);
      const row = await db.get<{ due: number | null }>(
        `select min(s.next_at) as due from schedules s where s.status = 'active' and ${able.text}`,
        ...able.values,
      );
      return row?.due ?? undefined;
    },

    /** What a schedule that is due does now. */
    plan: async (schedule: Schedule): Promise<FiringPlan> =>
      planFiring(schedule, await timetableOf(schedule), clock.now()),

    /** Claims a time and submits what it is for, in one transaction. Throws what `submit` throws; nothing is stored then. */
    fire: (schedule: Schedule, plan: FiringPlan, submit: Submit): Promise<Fired> =>
      db.transaction((sql) => fire(sql, schedule, plan, submit, ownChange(schedule))),

    /** Submits what a schedule submits, now and beside its times. */
    fireNow: (schedule: Schedule, submit: Submit, actor: Actor): Promise<string> =>
      db.transaction(async (sql) => {
        const change = changeBy(actor);
        const run = await submit(sql, change.at);
        await writeLast(sql, schedule, { outcome: 'started', run, dueAt: change.at }, change);
        await record(sql, schedule, 'fired', { run, by_hand: true }, change);
        return run;
      }),

    /** Records that a time could not be fired, so that it holds up no other and someone sees why. */
    fail: (schedule: Schedule, plan: FiringPlan, { code, message }: { code: string; message: string }): Promise<void> =>
      db.transaction(async (sql) => {
        const change = ownChange(schedule);
        // Nothing of one that fires once would be left to see or to run again if it ended here.
        const isLast = plan.nextAt === null;
        if (!(await take(sql, schedule, plan, isLast ? 'paused' : 'active', change.at))) return;
        await writeLast(sql, schedule, { outcome: 'failed', dueAt: plan.dueAt, code, error: message }, change);
        await record(sql, schedule, 'failed', { due_at: timeText(plan.dueAt), code, message }, change);
      }),

    /**
     * Finds schedules whose times come from a clock that was far ahead and has been set right since, and gives them the
     * times of now. Smaller steps change nothing: a time that has been fired does not come again.
     */
    async followClock(): Promise<void> {
      const now = clock.now();
      const rows = await db.all<ScheduleRow>(
        `${selection} where s.status = 'active' and s.cron is not null and s.updated_at > ?`,
        now + farAheadMs,
      );
      for (const row of rows) {
        const nextAt = (await timetableOf(toSchedule(row)))?.after(now) ?? null;
        await db.transaction((sql) =>
          sql.run(
            'update schedules set next_at = ?, updated_at = ? where id = ? and updated_at = ?',
            nextAt,
            now,
            row.id,
            row.updated_at,
          ),
        );
      }
    },
  };
}

/** Clocks that are kept right are nearer to each other. */
const farAheadMs = 3_600_000;

/** A schedule and the status of what it made last. */
const selection = `select s.*, case s.kind
    when 'goal' then (select g.status from goals g where g.id = cast(s.last_run as bigint))
    when 'relay' then (select p.status from relay_pipelines p where p.id = s.last_run)
    else (select j.status from jobs j where j.id = s.last_run) end as last_run_status
  from schedules s`;

const openStatuses: ReadonlySet<string> = new Set(['pending', 'running', 'active', 'in_progress']);

const timetableOf = ({ cron, timezone }: Pick<Schedule, 'cron' | 'timezone'>): Promise<Timetable> | undefined =>
  cron === null ? undefined : Timetable.read(cron, timezone);

const timeText = (at: EpochMs): string => new Date(at).toISOString();

function whereSchedules({ name, project, afterName }: Omit<ScheduleFilter, 'limit'>): Fragment {
  return where(is('s.name = ?', name), is("s.project in (?, '')", project), is('s.name > ?', afterName));
}

function requirable(provides: readonly string[]): Fragment {
  const marks = provides.length === 0 ? 'null' : provides.map(() => '?').join(', ');
  return { text: `(s.requires is null or s.requires in (${marks}))`, values: [...provides] };
}

/** By its name, in the project before those of none; or by its id. */
function findRow(sql: Sql, name: string, project: string): Promise<ScheduleRow | undefined> {
  return sql.get<ScheduleRow>(
    `${selection} where (s.name = ? and s.project in (?, '')) or s.id = ? order by s.project desc limit 1`,
    name,
    project,
    name,
  );
}

async function unknown(sql: Sql, name: string, project: string): Promise<RuntimeError> {
  const known = await sql.all<{ name: string }>(
    "select name from schedules where project in (?, '') order by name limit 10",
    project,
  );
  const hint =
    known.length === 0 ? 'There is none yet.' : `There are: ${known.map((schedule) => schedule.name).join(', ')}.`;
  return new RuntimeError('not_found', `No schedule is called ${name}.`, `${hint} Call list_schedules for all.`);
}

async function save(
  sql: Sql,
  definition: ScheduleDefinition,
  before: Schedule | undefined,
  change: Change,
): Promise<Schedule> {
  const { name, project, kind, requires, cron, timezone, missed, overlap, status, nextAt } = definition;
  const request = JSON.stringify(definition.request);
  const columns = { kind, request, requires, cron, timezone, missed, overlap, status, next_at: nextAt };
  if (!before) {
    if (await sql.get('select 1 from schedules where name = ? and project = ?', name, project)) throw changed(name);
    const row = await insertRow<ScheduleRow>(sql, 'schedules', {
      id: newShortId(),
      name,
      project,
      ...columns,
      created_by: change.actor?.holder ?? null,
      created_at: change.at,
      updated_at: change.at,
    });
    await record(sql, row, 'created', { kind, cron }, change);
    return toSchedule(row);
  }
  const sets = Object.keys(columns).map((column) => `${column} = ?`);
  const count = await sql.run(
    `update schedules set ${sets.join(', ')}, revision = revision + 1, updated_at = ? where id = ? and revision = ?`,
    ...Object.values(columns),
    change.at,
    before.id,
    before.revision,
  );
  if (count === 0) throw changed(name);
  await record(sql, before, typeOfChange(before, definition), { cron, status }, change);
  const row = await sql.get<ScheduleRow>(`${selection} where s.id = ?`, before.id);
  return row ? toSchedule(row) : before;
}

function typeOfChange(before: Schedule, { status }: ScheduleDefinition): EventType<'schedule'> {
  if (before.status === status) return 'edited';
  return status === 'paused' ? 'paused' : 'resumed';
}

const changed = (name: string): RuntimeError =>
  new RuntimeError('conflict', `Schedule ${name} was changed by another just now.`, 'Read it again and repeat.');

async function fire(sql: Sql, schedule: Schedule, plan: FiringPlan, submit: Submit, change: Change): Promise<Fired> {
  const { dueAt, nextAt } = plan;
  if (!(await take(sql, schedule, plan, nextAt === null ? 'ended' : 'active', change.at))) return undefined;
  if (schedule.cron !== null && !(await isNew(sql, schedule, dueAt))) {
    await record(sql, schedule, 'skipped', { due_at: timeText(dueAt), why: 'It had come before.' }, change);
    return { outcome: 'skipped', run: undefined, nextAt };
  }
  const why = plan.isInTime ? await whyOverlapping(sql, schedule) : 'Nothing lived that could fire it in time.';
  if (why !== undefined) {
    await writeLast(sql, schedule, { outcome: 'skipped', dueAt, error: why }, change);
    await record(sql, schedule, 'skipped', { due_at: timeText(dueAt), why }, change);
    return { outcome: 'skipped', run: undefined, nextAt };
  }
  const run = await submit(sql, dueAt);
  await writeLast(sql, schedule, { outcome: 'started', run, dueAt }, change);
  await record(sql, schedule, 'fired', { due_at: timeText(dueAt), run }, change);
  return { outcome: 'started', run, nextAt };
}

/** Moves a schedule on to its next time. Resolves to false if another has, or has changed the schedule. */
async function take(
  sql: Sql,
  { id, revision, nextAt: seen }: Schedule,
  { nextAt }: FiringPlan,
  status: Schedule['status'],
  at: EpochMs,
): Promise<boolean> {
  const count = await sql.run(
    `update schedules set next_at = ?, status = ?, updated_at = ?
     where id = ? and revision = ? and status = 'active' and next_at = ?`,
    nextAt,
    status,
    at,
    id,
    revision,
    seen,
  );
  return count > 0;
}

/** Of each schedule this many times are remembered: for every minute those of a day. */
const mostRemembered = 1_440;

/** Whether a time has not come before. It comes again when a clock was set back, or those of two hosts differ. */
async function isNew(sql: Sql, { id }: Schedule, dueAt: EpochMs): Promise<boolean> {
  const added = await sql.run(
    'insert into schedule_firings (schedule_id, due_at) values (?, ?) on conflict do nothing',
    id,
    dueAt,
  );
  if (added === 0) return false;
  await sql.run(
    `delete from schedule_firings where schedule_id = ? and due_at <
       (select due_at from schedule_firings where schedule_id = ? order by due_at desc limit 1 offset ${mostRemembered})`,
    id,
    id,
  );
  return true;
}

/** Why it does not fire now: what it made last is still at work. */
async function whyOverlapping(sql: Sql, { id, overlap }: Schedule): Promise<string | undefined> {
  if (overlap === 'allow') return undefined;
  const row = await sql.get<ScheduleRow>(`${selection} where s.id = ?`, id);
  const status = row?.last_run_status;
  if (!row || status === null || status === undefined || !openStatuses.has(status)) return undefined;
  const what = row.kind === 'goal' ? 'Goal' : row.kind === 'relay' ? 'Relay' : 'Job';
  return `${what} ${row.last_run} of the time before is still ${status}.`;
}

interface Last {
  outcome: FiringOutcome;
  dueAt: EpochMs;
  /** Absent: what it made before stays its last run. */
  run?: string;
  code?: string;
  error?: string;
}

async function writeLast(sql: Sql, { id }: Schedule, last: Last, { at }: Change): Promise<void> {
  await sql.run(
    `update schedules set last_due_at = ?, last_at = ?, last_outcome = ?, last_run = coalesce(cast(? as text), last_run),
       last_error_code = ?, last_error = ?, fired = fired + ?, updated_at = ? where id = ?`,
    last.dueAt,
    at,
    last.outcome,
    last.run ?? null,
    last.code ?? null,
    last.error ?? null,
    Number(last.outcome === 'started'),
    at,
    id,
  );
}

function record(
  sql: Sql,
  { id, name }: Pick<Schedule, 'id' | 'name'>,
  type: EventType<'schedule'>,
  data: JsonObject,
  change: Change,
): Promise<void> {
  return recordEvent(sql, { ...change, subject: 'schedule', subjectId: id, type, data: { name, ...data } });
}

/** Deletes schedules that fired once, before a time. Resolves to their number. */
export const purgeSchedules = (db: Database, before: EpochMs): Promise<number> =>
  db.transaction((sql) => sql.run("delete from schedules where status = 'ended' and updated_at < ?", before));
