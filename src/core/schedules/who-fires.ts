import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { sessionLeaseMs } from '../lease.js';
import type { Processes } from '../ports.js';
import { type IdentityRow, identityOf } from '../process-identity.js';

/** What lives that fires schedules when they are due. */
export interface Firers {
  workers: number;
  sessions: number;
  /** HTTP servers and pages. */
  servers: number;
  /** Those that stay for the next time, or that work now. */
  runners: number;
}

export interface FirersNeeds {
  db: Sql;
  clock: Clock;
  processes: Pick<Processes, 'liveness'>;
}

export async function countFirers({ db, clock, processes }: FirersNeeds): Promise<Firers> {
  const row = await db.get<Omit<Firers, 'servers'>>(
    `select (select count(*) from queue_workers where state = 'running') as workers,
       (select count(*) from sessions where ended_at is null and heartbeat_at > ?) as sessions,
       (select count(*) from runners where lane = 'call' and worker_id is null and state in ('running', 'waiting')) as runners`,
    clock.now() - sessionLeaseMs,
  );
  const servers = await db.all<IdentityRow>('select * from http_servers where is_read_only = 0');
  const live = servers.filter((server) => processes.liveness(identityOf(server)) !== 'dead');
  return { workers: 0, sessions: 0, runners: 0, ...row, servers: live.length };
}

/** The same as words, with what to do where nothing lives. */
export function sayFirers({ workers, sessions, servers, runners }: Firers): string {
  const counted = [
    [workers, 'worker', 'workers'],
    [sessions, 'session', 'sessions'],
    [servers, 'HTTP server', 'HTTP servers'],
    [runners, 'runner that stays', 'runners that stay'],
  ] as const;
  const parts = counted.flatMap(([count, one, many]) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]));
  if (parts.length > 0) return parts.join(', ');
  return 'nothing that lives now: open a session, or start `agent-runtime worker`';
}
