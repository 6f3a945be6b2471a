import type { Clock } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import type { Database, Sql, Statement } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { eventStatement, recordEvent } from '../events/events.js';
import { leaseFor, leaseIsShorter, leaseValues, lengthValues, sessionLeaseMs } from '../lease.js';
import type { Processes } from '../ports.js';
import { type IdentityRow, identityOf } from '../process-identity.js';

export interface SessionInfo {
  /** The client's own id of the conversation, the same when it is resumed. */
  clientSessionId?: string | undefined;
  project: string;
  clientName?: string | undefined;
  clientVersion?: string | undefined;
}

/** One server process, and who it acts for. */
export interface Session extends Actor {
  id: string;
  holder: string;
}

export interface SessionRow extends IdentityRow {
  id: string;
  holder: string;
  project: string;
  client_name: string | null;
  client_version: string | null;
  started_at: number;
  heartbeat_at: number;
  heartbeat_tick: number;
  ended_at: number | null;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Names a session before its row is written, so that nothing is stored for a client that only looks. */
export function nameSession({ clientSessionId, project }: SessionInfo): Session {
  const id = newShortId();
  return { id, holder: clientSessionId ? `claude:${clientSessionId}` : `session:${id}`, project };
}

export interface SessionNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
}

export function createSessions(needs: SessionNeeds) {
  const { db, clock, processes } = needs;
  return {
    begin: (session: Session, info: SessionInfo): Promise<void> =>
      db.transaction(async (sql) => {
        const at = clock.now();
        const self = processes.self();
        await sql.run(
          `insert into sessions (id, holder, project, client_name, client_version, host_id, boot_id, pid_namespace, pid,
             process_started, started_at, heartbeat_at, heartbeat_tick)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          session.id,
          session.holder,
          session.project,
          info.clientName ?? null,
          info.clientVersion ?? null,
          self.hostId,
          self.bootId,
          self.pidNamespace,
          self.pid,
          self.startTime,
          at,
          at,
          clock.tick(),
        );
        await recordEvent(sql, { at, actor: session, subject: 'session', subjectId: session.id, type: 'started' });
        await renewHoldings(sql, session.holder, clock);
      }),

    /** Says that the session lives, and renews all that it holds. */
    beat: (session: Session): Promise<void> =>
      db.transaction(async (sql) => {
        await sql.run(
          // Whoever took it for gone, from another container perhaps, was wrong.
          'update sessions set heartbeat_at = ?, heartbeat_tick = ?, ended_at = null where id = ?',
          clock.now(),
          clock.tick(),
          session.id,
        );
        await renewHoldings(sql, session.holder, clock);
      }),

    /** Whether a server process of this holder lives that renews its claims. */
    async isAlive(holder: string): Promise<boolean> {
      const rows = await db.all<SessionRow>('select * from sessions where holder = ? and ended_at is null', holder);
      return rows.some((row) => processes.liveness(identityOf(row)) === 'alive');
    },

    /**
     * What a clean end writes: slots are free at once, while claimed tasks keep their lease, so that the same
     * conversation resumed within it finds them again.
     */
    ending: (session: Session): Statement[] => [...cleanEndOf(session, clock.now())],

    /** The same at once, where the process goes on. */
    end: (session: Session): Promise<void> =>
      db.transaction(async (sql) => {
        for (const { text, values } of cleanEndOf(session, clock.now())) await sql.run(text, ...values);
      }),

    /** Ends the rows of processes that are gone, and frees their slots. Resolves to their ids. */
    async sweep(): Promise<string[]> {
      const open = await db.all<SessionRow>(liveSessions);
      if (!open.some((row) => isGone(row, needs))) return [];
      return db.transaction((sql) => endLostSessions(sql, needs));
    },
  };
}

const liveSessions = 'select * from sessions where ended_at is null';

/** Ends sessions whose process is gone, each once, and frees their slots at once; resolves to their ids. */
export async function endLostSessions(sql: Sql, needs: Pick<SessionNeeds, 'clock' | 'processes'>): Promise<string[]> {
  const gone = (await sql.all<SessionRow>(liveSessions)).filter((row) => isGone(row, needs));
  const at = needs.clock.now();
  for (const row of gone) {
    for (const { text, values } of endingOf(row.id, at)) await sql.run(text, ...values);
    const actor = { holder: row.holder, project: row.project };
    await recordEvent(sql, { at, actor, subject: 'session', subjectId: row.id, type: 'lost' });
  }
  return gone.map((row) => row.id);
}

/** By proof where its process can be seen; otherwise by six missed heartbeats, on the clock that nobody sets. */
function isGone(row: SessionRow, { clock, processes }: Pick<SessionNeeds, 'clock' | 'processes'>): boolean {
  const liveness = processes.liveness(identityOf(row));
  if (liveness !== 'unknown') return liveness === 'dead';
  const silence = row.boot_id === clock.bootId ? clock.tick() - row.heartbeat_tick : clock.now() - row.heartbeat_at;
  return silence > sessionLeaseMs;
}

function* cleanEndOf(session: Session, at: number): Generator<Statement> {
  yield* endingOf(session.id, at);
  yield eventStatement({ at, actor: session, subject: 'session', subjectId: session.id, type: 'ended' });
}

function* endingOf(sessionId: string, at: number): Generator<Statement> {
  yield {
    text: 'update tasks set worker_slot = null where id in (select task_id from worker_slots where session_id = ?)',
    values: [sessionId],
  };
  yield { text: 'delete from worker_slots where session_id = ?', values: [sessionId] };
  yield { text: 'update sessions set ended_at = ? where id = ? and ended_at is null', values: [at, sessionId] };
}

/** Every server process of a conversation renews what the conversation holds; a longer lease is left as it is. */
export async function renewHoldings(sql: Sql, holder: string, clock: Clock): Promise<void> {
  const lease = leaseFor(clock, sessionLeaseMs);
  await sql.run(
    `update tasks set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?
     where claimed_by = ? and status = 'in_progress' and ${leaseIsShorter}`,
    ...leaseValues(lease),
    holder,
    ...lengthValues(lease),
  );
  await sql.run(
    `update worker_slots set heartbeat_at = ?, lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?
     where holder = ?`,
    clock.now(),
    ...leaseValues(lease),
    holder,
  );
}
