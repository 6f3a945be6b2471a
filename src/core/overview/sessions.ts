import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import type { SessionRow } from '../coordination/sessions.js';
import { identityOf as identityOfRunner, isLive, type RunnerRow } from '../jobs/runners.js';
import type { Processes } from '../ports.js';
import { type IdentityRow, identityOf } from '../process-identity.js';

interface ListedSession {
  id: string;
  holder: string;
  project: string;
  client: string | null;
  clientVersion: string | null;
  pid: number;
  startedAt: EpochMs;
  heartbeatAt: EpochMs;
  endedAt: EpochMs | null;
}

/** A server process that a client has started, and what its conversation holds. */
export interface SessionOnBoard extends ListedSession {
  holdings: Holdings;
}

export interface Holdings {
  slots: number[];
  tasks: HeldTask[];
  jobs: { running: number; pending: number };
}

export interface HeldTask {
  id: number;
  title: string;
  worker: string | null;
  leaseExpiresAt: EpochMs;
}

const mostSessions = 200;
const mostEnded = 10;
const mostHeld = 1_000;

/** The live sessions and those that ended last, with what they hold; `others` are callers without a session. */
export async function readSessions(sql: Sql): Promise<{
  sessions: SessionOnBoard[];
  others: { holder: string; holdings: Holdings }[];
}> {
  const columns = `id, holder, project, client_name as client, client_version as "clientVersion", pid,
    started_at as "startedAt", heartbeat_at as "heartbeatAt", ended_at as "endedAt"`;
  const live = await sql.all<ListedSession>(
    `select ${columns} from sessions where ended_at is null order by started_at desc limit ?`,
    mostSessions,
  );
  const ended = await sql.all<ListedSession>(
    `select ${columns} from sessions where ended_at is not null order by ended_at desc limit ?`,
    mostEnded,
  );
  const held = await readHoldings(sql);
  const nothing: Holdings = { slots: [], tasks: [], jobs: { running: 0, pending: 0 } };
  const isHere = new Set(live.map(({ holder }) => holder));
  const known = new Set([...live, ...ended].map(({ holder }) => holder));
  return {
    sessions: [...live, ...ended].map((row) => {
      // A resumed conversation keeps its holdings, which are shown with its new process.
      const isReplaced = row.endedAt !== null && isHere.has(row.holder);
      return { ...row, holdings: (isReplaced ? undefined : held.get(row.holder)) ?? nothing };
    }),
    others: [...held].flatMap(([holder, holdings]) => (known.has(holder) ? [] : [{ holder, holdings }])),
  };
}

/** Slots, tasks and jobs by holder. The holder of a job is the session that submitted it. */
async function readHoldings(sql: Sql): Promise<Map<string, Holdings>> {
  const byHolder = new Map<string, Holdings>();
  const of = (holder: string): Holdings => {
    const known = byHolder.get(holder) ?? { slots: [], tasks: [], jobs: { running: 0, pending: 0 } };
    byHolder.set(holder, known);
    return known;
  };
  for (const { holder, slot } of await sql.all<{ holder: string; slot: number }>(
    'select holder, slot from worker_slots order by slot',
  )) {
    of(holder).slots.push(slot);
  }
  for (const { holder, ...task } of await sql.all<HeldTask & { holder: string }>(
    `select claimed_by as holder, id, substr(title, 1, 120) as title, worker_id as worker,
       lease_expires_at as "leaseExpiresAt"
     from tasks where status = 'in_progress' order by claimed_by, id limit ?`,
    mostHeld,
  )) {
    of(holder).tasks.push(task);
  }
  for (const { holder, status, count } of await sql.all<{
    holder: string;
    status: 'running' | 'pending';
    count: number;
  }>(
    `select submitted_by as holder, status, count(*) as count from jobs
     where status in ('running', 'pending') and submitted_by is not null group by submitted_by, status`,
  )) {
    of(holder).jobs[status] = count;
  }
  return byHolder;
}

export interface LiveProcess {
  kind: 'session' | 'runner' | 'worker' | 'server';
  pid: number;
  /** False for a process on another host or in another container: whether it lives is not known. */
  isProven: boolean;
}

/** The processes that have the database open, by its rows and the operating system; not this one. */
export async function findLiveProcesses(sql: Pick<Sql, 'all'>, processes: Processes): Promise<LiveProcess[]> {
  const sessions = await sql.all<SessionRow>('select * from sessions where ended_at is null');
  const runners = await sql.all<RunnerRow>(`select * from runners where ${isLive}`);
  const workers = await sql.all<IdentityRow>("select * from queue_workers where state in ('running', 'draining')");
  const servers = await sql.all<IdentityRow>('select * from http_servers where is_read_only = 0');
  const known = [
    ...workers.map((row) => ({ kind: 'worker' as const, identity: identityOf(row) })),
    ...servers.map((row) => ({ kind: 'server' as const, identity: identityOf(row) })),
    ...sessions.map((row) => ({ kind: 'session' as const, identity: identityOf(row) })),
    ...runners.map((row) => ({ kind: 'runner' as const, identity: identityOfRunner(row) })),
  ];
  return known.flatMap(({ kind, identity }) => {
    if (!identity || identity.pid === processes.self().pid) return [];
    const liveness = processes.liveness(identity);
    return liveness === 'dead' ? [] : [{ kind, pid: identity.pid, isProven: liveness === 'alive' }];
  });
}

/** What a process of this machine is by the rows that are still open; undefined if it is none of ours. */
export async function nameProcess(sql: Pick<Sql, 'all'>, pid: number): Promise<string | undefined> {
  const [session] = await sql.all<{ client: string | null; project: string }>(
    `select client_name as client, project from sessions where pid = ? and ended_at is null
     order by started_at desc limit 1`,
    pid,
  );
  if (session) {
    return `a session of ${session.client ?? 'an unnamed client'}${session.project === '' ? '' : ` in ${session.project}`}`;
  }
  const runners = await sql.all(`select 1 from runners where pid = ? and ${isLive} limit 1`, pid);
  return runners.length > 0 ? 'a runner of background jobs' : undefined;
}
