import type { Clock } from '../base/clock.js';
import type { Processes, ProcessIdentity } from '../core/ports.js';
import { identityOf } from '../core/process-identity.js';
import { insertRow } from '../store/insert-row.js';
import type { Database } from '../store/sql.js';
import { signalGroup } from './connection/watchdog.js';

interface ProcessRow {
  id: string;
  server: string;
  host_id: string;
  boot_id: string;
  pid_namespace: string;
  owner_pid: number;
  owner_started: string;
  pid: number | null;
  process_started: string | null;
}

export interface ServerProcessesNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  /** The start time of a process of this host, as in `ProcessIdentity`; undefined when there is no such process. */
  startTimeOf(pid: number): string | undefined;
  /** Kills every process that has a mark in its environment; resolves to their number. */
  endMarked(mark: string): number;
}

/** The record of tool servers' processes, by which a later session ends what a killed session has left. */
export interface ServerProcesses {
  /** Called before the process is started, so that a session killed in between leaves nothing unrecorded. */
  announce(id: string, server: string): Promise<void>;
  started(id: string, pid: number): Promise<void>;
  /** Ends what the process has started in groups of its own, and deletes its record. */
  ended(id: string): Promise<void>;
  /** Ends what sessions have left that are provably dead, and deletes its records; resolves to the number of processes. */
  sweep(): Promise<number>;
}

export function createServerProcesses(needs: ServerProcessesNeeds): ServerProcesses {
  const { db, clock, processes, startTimeOf, endMarked } = needs;
  const remove = async (id: string) => void (await db.run('delete from tool_processes where id = ?', id));

  return {
    async announce(id, server) {
      const { hostId, bootId, pidNamespace, pid, startTime } = processes.self();
      const row = {
        id,
        server,
        host_id: hostId,
        boot_id: bootId,
        pid_namespace: pidNamespace,
        owner_pid: pid,
        owner_started: startTime,
        created_at: clock.now(),
      };
      await db.transaction((sql) => insertRow(sql, 'tool_processes', row));
    },

    async started(id, pid) {
      const startTime = startTimeOf(pid) ?? null;
      await db.run('update tool_processes set pid = ?, process_started = ? where id = ?', pid, startTime, id);
    },

    async ended(id) {
      // A server that is reached by its address has no record, and no processes here.
      if (!(await db.get('select 1 from tool_processes where id = ?', id))) return;
      endMarked(id);
      await remove(id);
    },

    async sweep() {
      let ended = 0;
      for (const row of await db.all<ProcessRow>('select * from tool_processes')) {
        if (processes.liveness(ownerOf(row)) !== 'dead') continue;
        const own = processOf(row);
        if (own && processes.liveness(own) === 'alive') {
          signalGroup(own.pid, 'SIGKILL');
          ended++;
        }
        if (row.boot_id === processes.self().bootId) ended += endMarked(row.id);
        await remove(row.id);
      }
      return ended;
    },
  };
}

function ownerOf(row: ProcessRow): ProcessIdentity {
  return identityOf({ ...row, pid: row.owner_pid, process_started: row.owner_started });
}

function processOf(row: ProcessRow): ProcessIdentity | undefined {
  if (row.pid === null || row.process_started === null) return undefined;
  return { ...ownerOf(row), pid: row.pid, startTime: row.process_started };
}
