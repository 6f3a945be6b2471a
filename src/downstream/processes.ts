import type { Clock } from '../base/clock.js';
import type { Processes, ProcessIdentity } from '../core/ports.js';
import { identityOf } from '../core/process-identity.js';
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
  /** The start time of a process of this host, as `ProcessIdentity` has it; nothing when there is none. */
  startTimeOf(pid: number): string | undefined;
  /** Kills every process that bears a mark in its environment; resolves to how many there were. */
  endMarked(mark: string): number;
}

export type ServerProcesses = ReturnType<typeof createServerProcesses>;

/** The processes of tool servers on record, so that whoever comes after a killed session can end what it left. */
export function createServerProcesses({ db, clock, processes, startTimeOf, endMarked }: ServerProcessesNeeds) {
  return {
    /** Written before the process is started: one that is killed in between has left nothing unknown. */
    async announce(id: string, server: string): Promise<void> {
      const self = processes.self();
      await db.run(
        `insert into tool_processes (id, server, host_id, boot_id, pid_namespace, owner_pid, owner_started, created_at)
         values (?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        server,
        self.hostId,
        self.bootId,
        self.pidNamespace,
        self.pid,
        self.startTime,
        clock.now(),
      );
    },

    async started(id: string, pid: number): Promise<void> {
      await db.run(
        'update tool_processes set pid = ?, process_started = ? where id = ?',
        pid,
        startTimeOf(pid) ?? null,
        id,
      );
    },

    async ended(id: string): Promise<void> {
      await db.run('delete from tool_processes where id = ?', id);
    },

    /** Ends what sessions have left that are provably gone, and forgets it; resolves to how many processes that were. */
    async sweep(): Promise<number> {
      let ended = 0;
      for (const row of await db.all<ProcessRow>('select * from tool_processes')) {
        if (processes.liveness(ownerOf(row)) !== 'dead') continue;
        const own = processOf(row);
        if (own && processes.liveness(own) === 'alive') {
          signalGroup(own.pid, 'SIGKILL');
          ended++;
        }
        if (row.boot_id === processes.self().bootId) ended += endMarked(row.id);
        await db.run('delete from tool_processes where id = ?', row.id);
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
