import type { EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import { type Cost, usdOf } from '../../base/money.js';
import type { Sql, Statement } from '../../store/sql.js';
import type { ModelUsage } from '../ports.js';
import { type CounterName, type Definition, definitions, type HistogramName, type LabelsOf } from './definitions.js';

/** How much to add to one row of `metric_counters`. */
export interface Increment {
  name: string;
  /** As the row has them: a JSON array of their values. */
  labels: string;
  by: number;
}

/** Adds one to a counter, or `by`. */
export function count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): Increment {
  return { name, labels: labelText(definitions[name], labels), by };
}

/**
 * Adds one value to a histogram. A row counts the values of its own bucket alone, so that one row changes and not all
 * above it; reading adds them up. A negative time, which a stepped clock makes, counts as 0.
 */
export function observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): Increment[] {
  return observeMany(name, labels, { seconds, times: 1, total: seconds });
}

/** Adds several values of about the same size at once: `times` of them, `total` together. */
export function observeMany<Name extends HistogramName>(
  name: Name,
  labels: LabelsOf<Name>,
  { seconds, times, total }: { seconds: number; times: number; total: number },
): Increment[] {
  const definition: Definition = definitions[name];
  const end = definition.buckets?.find((bucket) => Math.max(0, seconds) <= bucket);
  const text = labelText(definition, labels);
  return [
    { name: `${name}_bucket:${end ?? '+Inf'}`, labels: text, by: times },
    { name: `${name}_sum`, labels: text, by: Math.max(0, total) },
  ];
}

/** Raises counters by one statement. Call it in the transaction of the change that they count. */
export async function raise(sql: Sql, increments: readonly Increment[]): Promise<void> {
  if (increments.length === 0) return;
  const { text, values } = raising(increments);
  await sql.run(text, ...values);
}

/**
 * The statement that raises counters. Increments of one row are merged: only SQLite raises a row twice in a statement. The
 * rows are in one order for all, so that two processes do not wait for each other.
 */
export function raising(increments: readonly Increment[]): Statement {
  const rows = [...merged(increments)].sort((a, b) => compare(a.name, b.name) || compare(a.labels, b.labels));
  return {
    text: texts[rows.length] ?? raisingText(rows.length),
    values: rows.flatMap(({ name, labels, by }) => [name, labels, by]),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Adds up the increments of each row. */
export function merged(increments: readonly Increment[]): Iterable<Increment> {
  const rows = new Map<string, Increment>();
  for (const increment of increments) {
    const key = increment.name + increment.labels;
    const known = rows.get(key);
    rows.set(key, known ? { ...known, by: known.by + increment.by } : increment);
  }
  return rows.values();
}

function raisingText(rows: number): string {
  return `insert into metric_counters (name, labels, value) values ${Array(rows).fill('(?, ?, ?)').join(', ')}
    on conflict (name, labels) do update set value = metric_counters.value + excluded.value`;
}

/** The usual lengths as constants, because a prepared statement is looked up by its text. */
const texts = Array.from({ length: 16 }, (_, rows) => raisingText(rows));

/** Limits values that others choose, such as an agent's error codes, so that the number of rows stays bounded. */
function labelText({ labels }: Definition, given: Readonly<Record<string, string>>): string {
  return JSON.stringify(labels.map((label) => boundedLabel(given[label] ?? '')));
}

/** The value itself if it is a name in the usual characters, else `other`. */
function boundedLabel(value: string): string {
  return /^[\w.:/@+-]{0,100}$/.test(value) ? value : 'other';
}

export function countSubmitted(sql: Sql, type: string): Promise<void> {
  return raise(sql, [count('jobs_submitted_total', { type })]);
}

/** When a job could start: it was due, and the last of its dependencies was done. */
export function readyAt(runAt: EpochMs, createdAt: EpochMs, dependenciesDoneAt: EpochMs | null): EpochMs {
  return Math.max(runAt, createdAt, dependenciesDoneAt ?? 0);
}

/** An attempt that has ended. */
export interface CountedAttempt {
  type: string;
  waitedMs: number;
  durationMs: number;
  /** Why it failed, if it did. */
  errorCode: string | undefined;
  /** How its job ended; undefined when the job goes on. */
  status: 'completed' | 'failed' | 'cancelled' | undefined;
}

/**
 * What to raise when an attempt ends, its start included. While it runs, `readCounters` counts the start from its row: so a
 * claim writes one page less.
 */
export function countAttempt({ type, waitedMs, durationMs, errorCode, status }: CountedAttempt): Increment[] {
  const seconds = Math.max(0, durationMs / 1000);
  const increments: Increment[] = [
    ...countStart(type, waitedMs),
    count('agent_busy_seconds_total', { agent: type }, seconds),
  ];
  if (errorCode !== undefined) increments.push(count('job_errors_total', { type, code: errorCode }));
  if (status !== undefined) {
    increments.push(count('jobs_finished_total', { type, status }));
    increments.push(...observe('job_duration_seconds', { type, status }, seconds));
  }
  return increments;
}

/** Counts the start of an attempt, and how long its job waited for it. */
export function countStart(type: string, waitedMs: number): Increment[] {
  return [count('jobs_started_total', { type }), ...observe('job_queue_wait_seconds', { type }, waitedMs / 1000)];
}

/** Counts jobs that were cancelled before they started, by their types. */
export function countCancelled(sql: Sql, types: readonly string[]): Promise<void> {
  return raise(
    sql,
    types.map((type) => count('jobs_finished_total', { type, status: 'cancelled' })),
  );
}

export interface CountedCall {
  provider: string;
  model: string;
  /** Why the call failed; undefined when it was answered. */
  failure: string | undefined;
  usage: ModelUsage;
  cost: Cost;
}

export function countModelCall(sql: Sql, { provider, model, failure, usage, cost }: CountedCall): Promise<void> {
  // There is no end of names that no provider knows.
  const known = { provider, model: failure === 'not_found' ? 'unknown' : model };
  return raise(sql, [
    count('llm_requests_total', { ...known, status: failure ?? 'ok' }),
    count('llm_tokens_total', { ...known, direction: 'input' }, usage.inputTokens),
    count('llm_tokens_total', { ...known, direction: 'output' }, usage.outputTokens),
    ...(cost.micros > 0 ? [count('llm_cost_dollars_total', known, usdOf(cost.micros))] : []),
    ...(cost.unpriced > 0 ? [count('llm_unpriced_requests_total', known, cost.unpriced)] : []),
  ]);
}

export interface Counter {
  name: string;
  labels: string[];
  value: number;
}

/**
 * Every counter that was ever raised, with the starts of attempts that are running. One statement reads both: an attempt
 * that ended between two statements would make the counter fall.
 */
export async function readCounters(sql: Sql): Promise<Counter[]> {
  const rows = await sql.all<CounterRow>(
    `select name, labels, value, null as started_at, null as run_at, null as created_at, null as done_at
     from metric_counters
     union all
     select null, j.type, null, a.started_at, j.run_at, j.created_at,
       (select max(b.completed_at) from job_dependencies d join jobs b on b.id = d.depends_on where d.job_id = j.id)
     from jobs j join job_attempts a on a.job_id = j.id and a.attempt = j.attempt where j.status = 'running'
     order by name nulls first, labels`,
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
  | { name: null; labels: string; started_at: EpochMs; run_at: EpochMs; created_at: EpochMs; done_at: EpochMs | null };
