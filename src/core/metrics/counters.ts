import type { Sql, Statement } from '../../store/sql.js';
import { type CounterName, type Definition, definitions, type HistogramName, type LabelsOf } from './definitions.js';

/** By how much one row of `metric_counters` is to grow. */
export interface Increment {
  name: string;
  /** As the row holds them. */
  labels: string;
  by: number;
}

/** One more of something, or `by` more. */
export function count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): Increment {
  return { name, labels: labelText(definitions[name], labels), by };
}

/**
 * One value of a histogram. A row holds the values of its own bucket alone, so that one row grows and not all above it;
 * they are added up when they are read. A negative time, which a stepped clock makes, counts as none.
 */
export function observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): Increment[] {
  const definition = definitions[name];
  const value = Math.max(0, seconds);
  const end = definition.buckets.find((bucket) => value <= bucket);
  const text = labelText(definition, labels);
  return [
    { name: `${name}_bucket:${end ?? '+Inf'}`, labels: text, by: 1 },
    { name: `${name}_sum`, labels: text, by: value },
  ];
}

/** Raises counters in the transaction of the change that they count, all of them by one statement. */
export async function raise(sql: Sql, increments: readonly Increment[]): Promise<void> {
  if (increments.length === 0) return;
  const { text, values } = raising(increments);
  await sql.run(text, ...values);
}

/** The statement that raises counters. No engine but SQLite raises one row twice in a statement, so they are merged. */
export function raising(increments: readonly Increment[]): Statement {
  const rows = [...merged(increments)];
  return {
    text: texts[rows.length] ?? raisingText(rows.length),
    values: rows.flatMap(({ name, labels, by }) => [name, labels, by]),
  };
}

/** Increments of the same rows added up. */
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

/** The usual ones as constants, since a statement is found by its text. */
const texts = Array.from({ length: 16 }, (_, rows) => raisingText(rows));

/** Values that others choose, such as an agent's error codes, are kept from growing without end. */
function labelText({ labels }: Definition, given: Readonly<Record<string, string>>): string {
  return JSON.stringify(labels.map((label) => boundedLabel(given[label] ?? '')));
}

/** A name in the usual characters, as it is; anything else is `other`. */
function boundedLabel(value: string): string {
  return /^[\w.:/@+-]{0,100}$/.test(value) ? value : 'other';
}
