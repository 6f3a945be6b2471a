import type { Clock } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { IdentityRow } from '../process-identity.js';

export interface WorkerRow extends IdentityRow {
  id: string;
  state: 'running' | 'draining' | 'ended' | 'lost';
  types: string | null;
  provides: string;
  calls: number;
  processes: number;
  url: string | null;
  started_at: number;
  heartbeat_at: number;
  heartbeat_tick: number;
  ended_at: number | null;
}

/** Six heartbeats of 10 s. */
export const silentMs = 60_000;

export const isLiveWorker = "state in ('running', 'draining')";

/** Whether runners of a worker take more jobs: it lives, and does not drain. */
export async function isWorkerAtWork(sql: Sql, id: string, clock: Clock): Promise<boolean> {
  const row = await sql.get<WorkerRow>("select * from queue_workers where id = ? and state = 'running'", id);
  return row !== undefined && silence(row, clock) <= silentMs;
}

/** Whether a worker lives that has what a job needs. */
export async function hasWorkerWith(sql: Sql, label: string): Promise<boolean> {
  const rows = await sql.all<WorkerRow>("select * from queue_workers where state = 'running'");
  return rows.some(({ provides }) => readJson<string[]>(provides).includes(label));
}

/** Milliseconds since its last heartbeat. */
export function silence(row: WorkerRow, clock: Clock): number {
  return row.boot_id === clock.bootId ? clock.tick() - row.heartbeat_tick : clock.now() - row.heartbeat_at;
}
