import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import type { Processes } from '../ports.js';

/** A process of a tool server, and whose it is. */
export interface ToolProcess {
  server: string;
  pid: number;
  startedAt: EpochMs;
  /** The session that has started it; null for a job's runner, a keeper of shared servers or a dashboard. */
  holder: string | null;
  ownerPid: number;
}

interface ToolProcessRow extends ToolProcess {
  hostId: string;
  bootId: string;
  pidNamespace: string;
  ownerStarted: string;
}

const most = 500;

/**
 * The processes of tool servers of all sessions, by their record, without those whose owner has provably ended: they are
 * ended by the next sweep. Servers that are reached by their address have none.
 */
export async function readToolProcesses(sql: Sql, processes: Processes): Promise<ToolProcess[]> {
  const rows = await sql.all<ToolProcessRow>(
    `select p.server, p.pid, p.created_at as "startedAt", p.owner_pid as "ownerPid", p.owner_started as "ownerStarted",
       p.host_id as "hostId", p.boot_id as "bootId", p.pid_namespace as "pidNamespace",
       (select min(s.holder) from sessions s where s.ended_at is null and s.pid = p.owner_pid
          and s.process_started = p.owner_started and s.boot_id = p.boot_id) as holder
     from tool_processes p where p.pid is not null order by p.server, p.created_at limit ?`,
    most,
  );
  return rows.flatMap(({ hostId, bootId, pidNamespace, ownerStarted, ...shown }) => {
    const owner = { hostId, bootId, pidNamespace, pid: shown.ownerPid, startTime: ownerStarted };
    return processes.liveness(owner) === 'dead' ? [] : [shown];
  });
}
