import type { Sql } from '../../store/sql.js';
import type { SessionRow } from '../coordination/sessions.js';
import { identityOf as identityOfRunner, isLive, type RunnerRow } from '../jobs/runners.js';
import type { Processes } from '../ports.js';
import { identityOf } from '../process-identity.js';

export interface LiveProcess {
  kind: 'session' | 'runner';
  pid: number;
  /** False for one on another host or in another container, which may live or not. */
  isProven: boolean;
}

/** The processes that have the database open, as far as its rows and the operating system say. */
export async function findLiveProcesses(sql: Sql, processes: Processes): Promise<LiveProcess[]> {
  const sessions = await sql.all<SessionRow>('select * from sessions where ended_at is null');
  const runners = await sql.all<RunnerRow>(`select * from runners where ${isLive}`);
  const known = [
    ...sessions.map((row) => ({ kind: 'session' as const, identity: identityOf(row) })),
    ...runners.map((row) => ({ kind: 'runner' as const, identity: identityOfRunner(row) })),
  ];
  return known.flatMap(({ kind, identity }) => {
    if (!identity || identity.pid === processes.self().pid) return [];
    const liveness = processes.liveness(identity);
    return liveness === 'dead' ? [] : [{ kind, pid: identity.pid, isProven: liveness === 'alive' }];
  });
}
