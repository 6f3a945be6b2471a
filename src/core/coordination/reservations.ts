import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { globsOverlap } from '../../base/path-globs.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import { clockValues, leaseHasLapsed } from '../lease.js';
import { deletePath, keepPath, type PathRow } from '../path-reservation.js';
import type { Processes } from '../ports.js';
import { claimantFor, looseHolder } from '../tasks/claim.js';
import { findTask, type TaskReference, taskName } from '../tasks/task.js';
import { livePaths, nameOf, type PathWithWorker } from './path-guard.js';
import { findProjectGlobs, projectRootOf } from './project-globs.js';
import { endLostSessions, ensureSession } from './sessions.js';
import type { SlotActor } from './slots.js';

/** Files that a session has reserved. */
export interface Reservation {
  glob: string;
  isExclusive: boolean;
  reason: string;
  /** Who has them: the worker of the session, where it has one alone, else the session. */
  by: string;
  holder: string;
  taskId: number | null;
  leaseExpiresAt: EpochMs;
}

export interface NewReservation {
  globs: readonly string[];
  /** Whether nobody else may reserve these; otherwise others may share them. */
  isExclusive: boolean;
  reason?: string | undefined;
  /** They are released with this task. */
  task?: TaskReference | undefined;
  leaseSeconds?: number | undefined;
}

/** Reservations of one root; of every root where there is none. */
export interface Reserved {
  root: string | undefined;
  reservations: Reservation[];
}

interface Needs {
  db: Database;
  clock: Clock;
  processes: Processes;
}

export type Reservations = ReturnType<typeof createReservations>;

/** Files that sessions have for themselves while they work on them. They live as slots do. */
export function createReservations({ db, clock, processes }: Needs) {
  return {
    /** Reserves all globs or none. Throws `conflict`, naming who has what and until when, and `invalid`. */
    reserve: (wanted: NewReservation, actor: SlotActor): Promise<Reserved> =>
      db.transaction(async (sql) => {
        await lapsePaths(sql, clock);
        await endLostSessions(sql, { db, clock, processes });
        const { sessionId: id, holder } = actor;
        if (id !== undefined && holder !== null) {
          await ensureSession(sql, { id, holder, project: actor.project }, { clock, processes });
        }
        return reservePaths(sql, wanted, actor, clock);
      }),

    /** Releases the caller's own: these globs, or all. Resolves to their number. */
    release: (globs: readonly string[] | undefined, actor: Actor): Promise<number> =>
      db.transaction((sql) => releasePaths(sql, globs, actor, clock)),

    /** Those of the caller's project, or all for a caller without one. */
    list: (actor: Actor): Promise<Reserved> => readReserved(db, projectRootOf(actor.project), clock),

    /** Frees paths whose lease has expired. Resolves to their number. */
    lapse: async (): Promise<number> => {
      if ((await lapsedPaths(db, clock)).length === 0) return 0;
      return db.transaction((sql) => lapsePaths(sql, clock));
    },
  };
}

async function reservePaths(sql: Sql, wanted: NewReservation, actor: Actor, clock: Clock): Promise<Reserved> {
  const { root, globs } = findProjectGlobs(wanted.globs, actor.project);
  const { holder, lease } = claimantFor(actor, { leaseSeconds: wanted.leaseSeconds }, clock);
  const taskId = wanted.task === undefined ? null : await findOpenTask(sql, wanted.task, actor);
  const others = (await liveRows(sql, clock)).filter((row) => row.root === root && row.holder !== holder);
  const inTheWay = others.flatMap((row) =>
    globs
      .filter((glob) => (wanted.isExclusive || row.is_exclusive === 1) && globsOverlap(glob, row.pattern))
      .map((glob) => ({ glob, row })),
  );
  if (inTheWay.length > 0) throw taken(inTheWay);
  const at = clock.now();
  const reason = wanted.reason ?? '';
  for (const glob of globs) {
    const path = { root, pattern: glob, is_exclusive: Number(wanted.isExclusive), reason, holder, task_id: taskId };
    await keepPath(sql, path, lease, at);
  }
  const data = { globs, exclusive: wanted.isExclusive, ...(taskId === null ? {} : { task: taskId }) };
  await recordEvent(sql, { at, actor, subject: 'path', subjectId: root, type: 'reserved', data });
  const { reservations } = await readReserved(sql, root, clock);
  return { root, reservations: reservations.filter((one) => one.holder === holder && globs.includes(one.glob)) };
}

async function findOpenTask(sql: Sql, reference: TaskReference, actor: Actor): Promise<number> {
  const task = await findTask(sql, reference, actor.project);
  if (task.status === 'pending' || task.status === 'in_progress') return task.id;
  throw new RuntimeError(
    'conflict',
    `Task ${taskName(task)} is ${task.status}, so its end would release nothing.`,
    'Leave task_id out; then the paths are yours until release_paths or the end of the session.',
  );
}

const liveRows = (sql: Sql, clock: Clock): Promise<PathWithWorker[]> => sql.all(livePaths, ...clockValues(clock));

async function readReserved(sql: Sql, root: string | undefined, clock: Clock): Promise<Reserved> {
  const rows = (await liveRows(sql, clock)).filter((row) => root === undefined || row.root === root);
  return { root, reservations: rows.map((row) => toReservation(row, root)) };
}

/** Without a common root a glob is shown as a whole path. */
function toReservation(row: PathWithWorker, root: string | undefined): Reservation {
  return {
    glob: root === undefined ? `${row.root}/${row.pattern}` : row.pattern,
    isExclusive: row.is_exclusive === 1,
    reason: row.reason,
    by: nameOf(row),
    holder: row.holder,
    taskId: row.task_id,
    leaseExpiresAt: row.lease_expires_at,
  };
}

const mostNamed = 5;

function taken(found: readonly { glob: string; row: PathWithWorker }[]): RuntimeError {
  const named = found.slice(0, mostNamed).map(({ glob, row }) => {
    const why = row.reason === '' ? '' : `, for ${JSON.stringify(row.reason)}`;
    const until = new Date(row.lease_expires_at).toISOString();
    return `${glob} overlaps ${row.pattern}, which ${nameOf(row)} has ${row.is_exclusive === 1 ? 'exclusively' : 'with others'} until ${until}${why}`;
  });
  const more = found.length > mostNamed ? `; and ${found.length - mostNamed} more` : '';
  const [first] = found;
  return new RuntimeError(
    'conflict',
    `${named.join('; ')}${more}.`,
    `Nothing was reserved. Choose other paths, or ask by send_message to ${first ? nameOf(first.row) : 'them'}. The lease of a live session is renewed until it releases them.`,
  );
}

async function releasePaths(
  sql: Sql,
  globs: readonly string[] | undefined,
  actor: Actor,
  clock: Clock,
): Promise<number> {
  const holder = actor.holder ?? looseHolder(undefined);
  const rows = await sql.all<PathRow>('select * from path_reservations where holder = ?', holder);
  const wanted = globs && findProjectGlobs(globs, actor.project);
  const released = rows.filter((row) => !wanted || (row.root === wanted.root && wanted.globs.includes(row.pattern)));
  if (wanted && released.length === 0) throw notYours(wanted.globs, rows);
  for (const { id } of released) await deletePath(sql, id);
  const roots = new Set(released.map(({ root }) => root));
  for (const root of roots) {
    const data = { globs: released.filter((row) => row.root === root).map(({ pattern }) => pattern) };
    await recordEvent(sql, { at: clock.now(), actor, subject: 'path', subjectId: root, type: 'released', data });
  }
  return released.length;
}

function notYours(globs: readonly string[], rows: readonly PathRow[]): RuntimeError {
  const yours = rows.map(({ pattern }) => pattern).join(', ');
  return new RuntimeError(
    'not_found',
    `You have not reserved ${globs.join(', ')}.`,
    yours === '' ? 'You have no path reserved.' : `You have ${yours}; without globs all are released.`,
  );
}

const lapsedPaths = (sql: Sql, clock: Clock): Promise<PathRow[]> =>
  sql.all<PathRow>(`select * from path_reservations where ${leaseHasLapsed}`, ...clockValues(clock));

async function lapsePaths(sql: Sql, clock: Clock): Promise<number> {
  const lapsed = await lapsedPaths(sql, clock);
  for (const { id, root, pattern, holder } of lapsed) {
    await deletePath(sql, id);
    const data = { glob: pattern, held_by: holder };
    await recordEvent(sql, { at: clock.now(), subject: 'path', subjectId: root, type: 'lapsed', data });
  }
  return lapsed.length;
}
