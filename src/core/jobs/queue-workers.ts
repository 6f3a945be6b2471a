import type { Clock, EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import { recordEvent } from '../events/events.js';
import type { Processes } from '../ports.js';
import { identityOf, identityRow } from '../process-identity.js';
import { isLiveWorker, silence, silentMs, type WorkerRow } from './queue-worker.js';
import type { RunnerRow } from './runners.js';

/** A long-lived process that works the queue: it starts runners, and fires schedules. */
export interface QueueWorker {
  id: string;
  state: 'running' | 'draining';
  /** The host's id, and the process there. */
  host: string;
  pid: number;
  /** The job types that it takes; null for all. */
  types: string[] | null;
  /** What it has beside providers and modules, such as gpu. */
  provides: string[];
  /** Model calls, and other jobs, at once. */
  calls: number;
  processes: number;
  /** The jobs that its runners carry now. */
  running: number;
  /** Where it answers /healthz and /metrics. */
  url: string | null;
  startedAt: EpochMs;
  heartbeatAt: EpochMs;
}

export type NewWorker = Pick<QueueWorker, 'id' | 'types' | 'provides' | 'calls' | 'processes' | 'url'>;

export type QueueWorkers = ReturnType<typeof createQueueWorkers>;

/** The workers, over all hosts. */
export function createQueueWorkers(needs: { db: Database; clock: Clock; processes: Processes }) {
  const { db, clock, processes } = needs;

  const end = (sql: Sql, { id }: Pick<WorkerRow, 'id'>, state: 'ended' | 'lost') =>
    sql.run(
      `update queue_workers set state = ?, ended_at = ? where id = ? and ${isLiveWorker}`,
      state,
      clock.now(),
      id,
    );

  return {
    begin: (worker: NewWorker): Promise<void> =>
      db.transaction(async (sql) => {
        const at = clock.now();
        await insertRow(sql, 'queue_workers', {
          id: worker.id,
          state: 'running',
          ...identityRow(processes.self()),
          types: worker.types === null ? null : JSON.stringify(worker.types),
          provides: JSON.stringify(worker.provides),
          calls: worker.calls,
          processes: worker.processes,
          url: worker.url,
          started_at: at,
          heartbeat_at: at,
          heartbeat_tick: clock.tick(),
        });
        await recordEvent(sql, { at, subject: 'runner', subjectId: worker.id, type: 'worker_started' });
      }),

    /** Resolves to false when it was written off: another process found it silent. It begins anew then. */
    heartbeat: (id: string): Promise<boolean> =>
      db.transaction(
        async (sql) =>
          (await sql.run(
            `update queue_workers set heartbeat_at = ?, heartbeat_tick = ?, state = case when state = 'lost' then 'running' else state end
             where id = ? and state <> 'ended'`,
            clock.now(),
            clock.tick(),
            id,
          )) > 0,
      ),

    /** From now on its runners take no more jobs. */
    drain: (id: string): Promise<void> =>
      db.transaction(async (sql) => {
        await sql.run("update queue_workers set state = 'draining' where id = ? and state <> 'ended'", id);
      }),

    end: (id: string): Promise<void> =>
      db.transaction(async (sql) => {
        await end(sql, { id }, 'ended');
        await recordEvent(sql, { at: clock.now(), subject: 'runner', subjectId: id, type: 'worker_ended' });
      }),

    /** Its live runners, with how many jobs each carries. */
    runners: (id: string): Promise<(RunnerRow & { running: number })[]> =>
      db.all(
        `select r.*, (select count(*) from jobs j where j.runner_id = r.id and j.status = 'running') as running
         from runners r where r.worker_id = ? and r.state in ('starting', 'running', 'waiting')`,
        id,
      ),

    /** The live ones, oldest first. */
    async list(): Promise<QueueWorker[]> {
      const rows = await db.all<WorkerRow & { running: number }>(
        `select w.*, (select count(*) from jobs j join runners r on r.id = j.runner_id
           where r.worker_id = w.id and j.status = 'running') as running
         from queue_workers w where w.${isLiveWorker} order by w.started_at, w.id`,
      );
      return rows.flatMap((row) => (row.state === 'running' || row.state === 'draining' ? [toWorker(row)] : []));
    },

    /** Finds workers whose process is gone: proved on the same host, by silence across hosts. */
    async sweep(): Promise<void> {
      for (const row of await db.all<WorkerRow>(`select * from queue_workers where ${isLiveWorker}`)) {
        const liveness = processes.liveness(identityOf(row));
        if (liveness === 'alive') continue;
        if (liveness === 'unknown' && Math.min(silence(row, clock), db.inTouchMs()) <= silentMs) continue;
        await db.transaction(async (sql) => {
          if ((await end(sql, row, 'lost')) === 0) return;
          await recordEvent(sql, { at: clock.now(), subject: 'runner', subjectId: row.id, type: 'worker_lost' });
        });
      }
    },
  };
}

function toWorker(row: WorkerRow & { running: number }): QueueWorker {
  return {
    id: row.id,
    state: row.state === 'draining' ? 'draining' : 'running',
    host: row.host_id,
    pid: row.pid,
    types: row.types === null ? null : readJson<string[]>(row.types),
    provides: readJson<string[]>(row.provides),
    calls: row.calls,
    processes: row.processes,
    running: row.running,
    url: row.url,
    startedAt: row.started_at,
    heartbeatAt: row.heartbeat_at,
  };
}
