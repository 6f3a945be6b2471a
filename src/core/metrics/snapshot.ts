import type { EpochMs } from '../../base/clock.js';
import { version } from '../../base/version.js';
import type { Database, Sql } from '../../store/sql.js';
import { type Counter, readCounters } from './counters.js';
import { type Definition, definitions, type MetricName } from './definitions.js';
import { couldRunNow } from './summary.js';
import { readTaskFigures, type Spread } from './task-figures.js';

/** One value as it is shown: of a metric, or of one part of a histogram. */
export interface Sample {
  /** What follows the metric's name: '', `_bucket`, `_sum` or `_count`. */
  suffix: string;
  labels: readonly (readonly [name: string, value: string])[];
  value: number;
}

export interface Metric extends Definition {
  name: string;
  samples: readonly Sample[];
}

/**
 * Every metric now: counters since the database was created, gauges of this moment.
 *
 * @param slots how many jobs of each type may run at once, over all processes
 */
export async function readSnapshot(
  sql: Sql & Pick<Database, 'engine' | 'sizeBytes'>,
  slots: ReadonlyMap<string, number>,
  now: EpochMs,
): Promise<Metric[]> {
  const counters = await readCounters(sql);
  const gauges: Partial<Record<MetricName, Sample[]>> = {
    ...(await readGauges(sql, slots, now)),
    ...(await readTaskGauges(sql, now)),
    database_bytes: [gauge('database_bytes', [sql.engine], await sql.sizeBytes())],
  };
  return (Object.keys(definitions) as MetricName[]).map((name) => {
    const definition: Definition = definitions[name];
    return { name, ...definition, samples: [...samplesOf(name, definition, counters), ...(gauges[name] ?? [])] };
  });
}

function samplesOf(name: string, definition: Definition, counters: readonly Counter[]): Sample[] {
  if (definition.type === 'histogram') return histogramSamples(name, definition, counters);
  return counters
    .filter((row) => row.name === name)
    .map(({ labels, value }) => ({ suffix: '', labels: labelled(definition, labels), value }));
}

/** A bucket of Prometheus counts all values up to its end, those of the buckets before it included. */
function histogramSamples(name: string, definition: Definition, counters: readonly Counter[]): Sample[] {
  const ends = [...(definition.buckets ?? []).map(String), '+Inf'];
  const valueIn = (part: string, labels: string[]) =>
    counters.find((row) => row.name === `${name}_${part}` && row.labels.join('\n') === labels.join('\n'))?.value ?? 0;
  return counters
    .filter((row) => row.name === `${name}_sum`)
    .flatMap(({ labels: values, value: sum }) => {
      const labels = labelled(definition, values);
      let total = 0;
      const buckets = ends.map((end): Sample => {
        total += valueIn(`bucket:${end}`, values);
        return { suffix: '_bucket', labels: [...labels, ['le', end]], value: total };
      });
      return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total }];
    });
}

async function readGauges(
  sql: Sql,
  slots: ReadonlyMap<string, number>,
  now: EpochMs,
): Promise<Partial<Record<MetricName, Sample[]>>> {
  const pending = await countJobs(sql, 'pending');
  const waiting = await countWaiting(sql, now);
  const running = await countJobs(sql, 'running');
  // A known type without jobs has the value 0, so that its series does not come and go.
  const types = [...new Set([...slots.keys(), ...pending.keys(), ...running.keys()])];
  return {
    queue_depth: types.map((type) => {
      const ready = (pending.get(type) ?? 0) - (waiting.get(type) ?? 0);
      // Between the two readings a job may have been claimed.
      return gauge('queue_depth', [type], Math.max(0, ready));
    }),
    jobs_waiting: types.map((type) => gauge('jobs_waiting', [type], waiting.get(type) ?? 0)),
    jobs_running: types.map((type) => gauge('jobs_running', [type], running.get(type) ?? 0)),
    agent_slots: [...slots].map(([type, count]) => gauge('agent_slots', [type], count)),
    agent_busy: [...slots.keys()].map((type) => gauge('agent_busy', [type], running.get(type) ?? 0)),
    circuit_state: await readCircuits(sql),
    build_info: [gauge('build_info', [version], 1)],
  };
}

const hourMs = 3_600_000;

async function readTaskGauges(sql: Sql, now: EpochMs): Promise<Partial<Record<MetricName, Sample[]>>> {
  const states = await sql.all<{ state: string; count: number }>(
    'select state, cast(sum(count) as bigint) as count from task_counts where goal_id = 0 group by state order by state',
  );
  const held = await sql.get<{ count: number }>('select count(*) as count from worker_slots');
  const { completed, failed, cancelled, cycle, waiting } = await readTaskFigures(sql, { from: now - hourMs, to: now });
  const percentiles = (name: MetricName, spread: Spread | null) =>
    spread ? [gauge(name, ['50'], spread.median), gauge(name, ['90'], spread.p90)] : [];
  return {
    tasks: states.map(({ state, count }) => gauge('tasks', [state], count)),
    tasks_ended_last_hour: Object.entries({ completed, failed, cancelled }).map(([status, count]) =>
      gauge('tasks_ended_last_hour', [status], count),
    ),
    task_cycle_seconds: percentiles('task_cycle_seconds', cycle),
    task_waiting_seconds: percentiles('task_waiting_seconds', waiting),
    worker_slots_held: [gauge('worker_slots_held', [], held?.count ?? 0)],
  };
}

async function countJobs(sql: Sql, status: 'pending' | 'running'): Promise<Map<string, number>> {
  const rows = await sql.all<{ type: string; count: number }>(
    'select type, cast(sum(count) as bigint) as count from job_counts where state = ? group by type order by type',
    status,
  );
  return new Map(rows.flatMap(({ type, count }) => (count === 0 ? [] : [[type, count]])));
}

/** Those that no number of workers could run now, by type. */
async function countWaiting(sql: Sql, now: EpochMs): Promise<Map<string, number>> {
  const rows = await sql.all<{ type: string; count: number }>(
    `select type, count(*) as count from jobs where status = 'pending' and not ${couldRunNow} group by type`,
    now,
  );
  return new Map(rows.map(({ type, count }) => [type, count]));
}

const stateValues: Record<string, number> = { closed: 0, half_open: 1, open: 2 };

async function readCircuits(sql: Sql): Promise<Sample[]> {
  const rows = await sql.all<{ id: string; state: string }>('select id, state from breakers order by id');
  return rows.map(({ id, state }) => {
    // `server:github#2` is the second instance of a server. Most breakers have no instances.
    const [, tool = id, instance = ''] = /^(.+)#(\w+)$/s.exec(id) ?? [];
    return gauge('circuit_state', [tool, instance], stateValues[state] ?? 0);
  });
}

function gauge(name: MetricName, values: readonly string[], value: number): Sample {
  return { suffix: '', labels: labelled(definitions[name], values), value };
}

function labelled({ labels }: Definition, values: readonly string[]): Sample['labels'] {
  return labels.map((label, index) => [label, values[index] ?? '']);
}
