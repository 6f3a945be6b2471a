import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { merged } from './counters.js';
import { countStart, readyAt } from './job-counters.js';

export interface Counter {
  name: string;
  labels: string[];
  value: number;
}

/**
 * Every counter that was ever raised. Starts of attempts that run are among them, as the rows of those tell; one
 * statement reads both, because an attempt that ended between two would make the counter fall.
 */
export async function readCounters(sql: Sql): Promise<Counter[]> {
  const rows = await sql.all<CounterRow>(
    `select name, labels, value, null as started_at, null as run_at, null as created_at, null as done_at
     from metric_counters
     union all
     select null, j.type, null, a.started_at, j.run_at, j.created_at,
       (select max(b.completed_at) from job_dependencies d join jobs b on b.id = d.depends_on where d.job_id = j.id)
     from jobs j join job_attempts a on a.job_id = j.id and a.attempt = j.attempt where j.status = 'running'`,
  );
  const counted = rows.flatMap((row) =>
    row.name === null
      ? countStart(row.labels, row.started_at - readyAt(row.run_at, row.created_at, row.done_at))
      : { name: row.name, labels: row.labels, by: row.value },
  );
  return [...merged(counted)].map(({ name, labels, by }) => ({ name, labels: readJson<string[]>(labels), value: by }));
}

type CounterRow =
  | { name: string; labels: string; value: number }
  | { name: null; labels: string; started_at: number; run_at: number; created_at: number; done_at: number | null };
