import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { listJobsBy } from '../jobs/read-jobs.js';
import { isLive, type RunnerRow } from '../jobs/runners.js';
import { nameJobs } from './job-names.js';

/** A process that does jobs, and those that it carries now. */
export interface RunnerOnBoard {
  id: string;
  state: RunnerRow['state'];
  lane: RunnerRow['lane'];
  /** How many jobs it carries at once; 0 when it takes no more. */
  capacity: number;
  pid: number | null;
  createdAt: EpochMs;
  heartbeatAt: EpochMs | null;
  jobs: { id: string; name: string; startedAt: EpochMs | null }[];
}

/** The live runners, oldest first. */
export async function readRunners(sql: Sql): Promise<RunnerOnBoard[]> {
  const runners = await sql.all<RunnerRow>(`select * from runners where ${isLive} order by created_at, id`);
  const carried = await sql.all<{ id: string; runner: string }>(
    "select id, runner_id as runner from jobs where status = 'running' and runner_id is not null",
  );
  const jobs = await listJobsBy(sql, { text: "where status = 'running' and runner_id is not null", values: [] }, 'seq');
  const names = await nameJobs(sql, jobs);
  const runnerOf = new Map(carried.map(({ id, runner }) => [id, runner]));
  return runners.map((runner) => ({
    id: runner.id,
    state: runner.state,
    lane: runner.lane,
    capacity: runner.capacity,
    pid: runner.pid,
    createdAt: runner.created_at,
    heartbeatAt: runner.heartbeat_at,
    jobs: jobs
      .filter(({ id }) => runnerOf.get(id) === runner.id)
      .map(({ id, type, startedAt }) => ({ id, name: names.get(id) ?? type, startedAt })),
  }));
}
