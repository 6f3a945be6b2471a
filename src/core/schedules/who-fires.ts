import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { sessionLeaseMs } from '../lease.js';

/** What lives that fires schedules when they are due, and that will do so although no session does. */
export interface Firers {
  sessions: number;
  /** Runners that stay for the next time, or that work now. */
  runners: number;
}

export async function countFirers(sql: Sql, clock: Clock): Promise<Firers> {
  const row = await sql.get<Firers>(
    `select (select count(*) from sessions where ended_at is null and heartbeat_at > ?) as sessions,
       (select count(*) from runners where lane = 'call' and state in ('running', 'waiting')) as runners`,
    clock.now() - sessionLeaseMs,
  );
  return row ?? { sessions: 0, runners: 0 };
}

/** The same as a sentence, with what to do where nothing lives. */
export function sayFirers({ sessions, runners }: Firers): string {
  const parts = [
    ...(sessions > 0 ? [`${sessions} ${sessions === 1 ? 'session' : 'sessions'}`] : []),
    ...(runners > 0 ? [`${runners} ${runners === 1 ? 'runner that stays' : 'runners that stay'}`] : []),
  ];
  if (parts.length > 0) return parts.join(' and ');
  return 'nothing that lives now: open a session, or start `agent-runtime worker`';
}
