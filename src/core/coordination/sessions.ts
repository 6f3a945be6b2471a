import type { Clock, EpochMs } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql, Statement } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { eventStatement, recordEvent } from '../events/events.js';
import { leaseFor, sessionLeaseMs } from '../lease.js';
import { releasePathsOfSession, renewPathLeasesOf } from '../path-reservation.js';
import type { Processes } from '../ports.js';
import { type IdentityRow, identityOf, identityRow } from '../process-identity.js';
import { detachSlotsOfSession, renewClaimsOf } from '../tasks/claim.js';
import { deleteSlotsOfSession, renewSlotLeasesOf } from '../worker-slot.js';

export interface SessionInfo {
  /** The client's own id of the conversation; a resumed conversation has the same. */
  clientSessionId?: string | undefined;
  /** What a client elsewhere calls itself at each of its connections, where it knows no conversation. */
  clientId?: string | undefined;
  project: string;
  clientName?: string | undefined;
  clientVersion?: string | undefined;
}

/** One server process, and the holder it acts for. */
export interface Session extends Actor {
  id: string;
  /** The same for all processes of a conversation. */
  holder: string;
}

/** A row of `sessions`. */
export interface SessionRow extends IdentityRow {
  id: string;
  holder: string;
  project: string;
  client_name: string | null;
  client_version: string | null;
  started_at: EpochMs;
  heartbeat_at: EpochMs;
  heartbeat_tick: number;
  ended_at: EpochMs | null;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Names a session before its row is written, so that nothing is stored for a client that never calls a tool. */
export function nameSession({ clientSessionId, clientId, project }: SessionInfo): Session {
  const id = newShortId();
  const own = clientId ? `client:${clientId}` : `session:${id}`;
  return { id, holder: clientSessionId ? `claude:${clientSessionId}` : own, project };
}

export interface SessionNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
}

export function createSessions(needs: SessionNeeds) {
  const { db, clock, processes } = needs;
  return {
    /** Writes the session's row and renews all that it holds; a second call is a heartbeat. */
    begin: (session: Session, info: SessionInfo): Promise<void> =>
      db.transaction((sql) => keepSession(sql, session, info, needs), { beside: true }),

    /**
     * Records that the session is alive, and renews everything it holds. A session without a row gets one: its beginning
     * may have failed, or a backup without it was restored.
     */
    heartbeat: (session: Session, info: SessionInfo = session): Promise<void> =>
      db.transaction((sql) => keepSession(sql, session, info, needs), { beside: true }),

    /** Whether a live server process of this holder renews its claims. */
    async isAlive(holder: string): Promise<boolean> {
      const rows = await db.all<SessionRow>('select * from sessions where holder = ? and ended_at is null', holder);
      return rows.some((row) => processes.liveness(identityOf(row)) === 'alive');
    },

    /**
     * The statements of a clean end. They free the session's slots and paths at once; its claimed tasks keep their lease, so that
     * the same conversation finds them again if it is resumed in time.
     */
    ending: (session: Session): Statement[] => [...cleanEndOf(session, clock.now())],

    /** Ends a session while the process goes on. */
    end: (session: Session): Promise<void> =>
      db.transaction(async (sql) => {
        for (const { text, values } of cleanEndOf(session, clock.now())) await sql.run(text, ...values);
      }),

    /** Ends the sessions of dead processes, and frees their slots and paths. Resolves to the ids. */
    async sweep(): Promise<string[]> {
      const open = await db.all<SessionRow>(liveSessions);
      if (!open.some((row) => isGone(row, needs))) return [];
      return db.transaction((sql) => endLostSessions(sql, needs));
    },
  };
}

async function keepSession(sql: Sql, session: Session, info: SessionInfo, needs: SessionNeeds): Promise<void> {
  const { clock } = needs;
  const kept = await sql.run(
    // Reopens a session that another process, perhaps in another container, took for dead.
    `update sessions set heartbeat_at = ?, heartbeat_tick = ?, ended_at = null, project = ?,
       client_name = coalesce(client_name, ?), client_version = coalesce(client_version, ?)
     where id = ?`,
    clock.now(),
    clock.tick(),
    session.project,
    info.clientName ?? null,
    info.clientVersion ?? null,
    session.id,
  );
  if (kept === 0) await insertSession(sql, session, info, needs);
  await renewHoldings(sql, session.holder, clock);
}

/** Writes the row of a session that has none, for what refers to it. Its next heartbeat adds the client's name. */
export async function ensureSession(
  sql: Sql,
  session: Session,
  needs: Pick<SessionNeeds, 'clock' | 'processes'>,
): Promise<void> {
  const known = await sql.get('select 1 from sessions where id = ?', session.id);
  if (!known) await insertSession(sql, session, session, needs);
}

async function insertSession(
  sql: Sql,
  session: Session,
  info: SessionInfo,
  { clock, processes }: Pick<SessionNeeds, 'clock' | 'processes'>,
): Promise<void> {
  const at = clock.now();
  await insertRow(sql, 'sessions', {
    id: session.id,
    holder: session.holder,
    project: session.project,
    client_name: info.clientName ?? null,
    client_version: info.clientVersion ?? null,
    ...identityRow(processes.self()),
    started_at: at,
    heartbeat_at: at,
    heartbeat_tick: clock.tick(),
  });
  await recordEvent(sql, { at, actor: session, subject: 'session', subjectId: session.id, type: 'started' });
}

const liveSessions = 'select * from sessions where ended_at is null';

/** Ends the sessions whose process is gone, each once, and frees their slots and paths. Resolves to the ids. */
export async function endLostSessions(sql: Sql, needs: SessionNeeds): Promise<string[]> {
  const gone = (await sql.all<SessionRow>(liveSessions)).filter((row) => isGone(row, needs));
  const at = needs.clock.now();
  for (const row of gone) {
    for (const { text, values } of endingOf(row.id, at)) await sql.run(text, ...values);
    const actor = { holder: row.holder, project: row.project };
    await recordEvent(sql, { at, actor, subject: 'session', subjectId: row.id, type: 'lost' });
  }
  return gone.map((row) => row.id);
}

/**
 * Whether the process of a session is gone: for certain if the process can be seen from here, otherwise after six missed
 * heartbeats, counted by the monotonic clock within one boot, all of which this process would have heard.
 */
function isGone(row: SessionRow, { db, clock, processes }: SessionNeeds): boolean {
  const liveness = processes.liveness(identityOf(row));
  if (liveness !== 'unknown') return liveness === 'dead';
  const silence = row.boot_id === clock.bootId ? clock.tick() - row.heartbeat_tick : clock.now() - row.heartbeat_at;
  return Math.min(silence, db.inTouchMs()) > sessionLeaseMs;
}

function* cleanEndOf(session: Session, at: EpochMs): Generator<Statement> {
  yield* endingOf(session.id, at);
  yield eventStatement({ at, actor: session, subject: 'session', subjectId: session.id, type: 'ended' });
}

function* endingOf(sessionId: string, at: EpochMs): Generator<Statement> {
  yield detachSlotsOfSession(sessionId);
  yield deleteSlotsOfSession(sessionId);
  yield releasePathsOfSession(sessionId);
  yield { text: 'update sessions set ended_at = ? where id = ? and ended_at is null', values: [at, sessionId] };
}

/** Renews the claims, slots and paths of a holder; every server process of a conversation does. No lease gets shorter. */
export async function renewHoldings(sql: Sql, holder: string, clock: Clock): Promise<void> {
  const lease = leaseFor(clock, sessionLeaseMs);
  await renewClaimsOf(sql, holder, lease);
  await renewSlotLeasesOf(sql, holder, lease, clock.now());
  await renewPathLeasesOf(sql, holder, lease);
}

/** Deletes the row of a session that has ended and holds no slot. Resolves to the number of rows deleted. */
export function deleteEndedSession(sql: Sql, id: string): Promise<number> {
  return sql.run(
    `delete from sessions where id = ? and ended_at is not null
       and not exists (select 1 from worker_slots where session_id = sessions.id)`,
    id,
  );
}
