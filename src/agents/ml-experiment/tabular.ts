import type { Rows } from './dataset.js';
import { type Random, rangeOf, shuffle } from './random.js';

/** Rows of numbers in memory, before they are split and standardised. */
export interface Tabular {
  /** Features per row. */
  inputs: number;
  /** Row by row; NaN where a value is missing. */
  features: Float64Array;
  /** Class indexes, or the values of a numeric target. */
  labels: Uint8Array | Float64Array;
  /** Whether a feature stays as it is, because it is 0 or 1 for a category; none unless given. */
  isFlag?: readonly boolean[];
}

export interface Split {
  train: Rows;
  test: Rows;
}

/** What of a data set is trained and tested on. */
export interface SplitRule {
  /** Share held out, of each class or of all rows. */
  testFraction: number;
  limitTrain: number | undefined;
  limitTest: number | undefined;
}

/**
 * Splits rows by the random numbers and standardises their features with the mean and deviation of the train rows alone,
 * so that nothing of the test rows reaches the training. A missing value becomes the mean of the train rows, 0.
 *
 * All rows are shuffled. The first ones of each class (or of all, for a numeric target) become test rows, the others, in
 * shuffled order, train rows.
 */
export function splitTabular(table: Tabular, rule: SplitRule, random: Random): Split {
  const held = split(table.labels, rule.testFraction, random);
  const train = held.train.slice(0, rule.limitTrain);
  const scale = fitScale(table, train);
  return {
    train: standardizeRows(table, train, scale),
    test: standardizeRows(table, held.test.slice(0, rule.limitTest), scale),
  };
}

function split(
  labels: Uint8Array | Float64Array,
  fraction: number,
  random: Random,
): { train: number[]; test: number[] } {
  const order = rangeOf(labels.length);
  shuffle(order, random);
  // A numeric target has no classes: all rows are one.
  const classOf = (row: number) => (labels instanceof Float64Array ? 0 : (labels[row] ?? 0));
  const sizes = new Map<number, number>();
  for (const row of order) sizes.set(classOf(row), (sizes.get(classOf(row)) ?? 0) + 1);
  const held = new Map([...sizes].map(([label, size]) => [label, Math.max(1, Math.round(size * fraction))]));
  const train: number[] = [];
  const test: number[] = [];
  for (const row of order) {
    const left = held.get(classOf(row)) ?? 0;
    if (left > 0) held.set(classOf(row), left - 1);
    (left > 0 ? test : train).push(row);
  }
  return { train, test };
}

interface Scale {
  mean: number[];
  deviation: number[];
}

function fitScale({ inputs, features, isFlag }: Tabular, rows: readonly number[]): Scale {
  const scale: Scale = { mean: [], deviation: [] };
  for (let input = 0; input < inputs; input++) {
    const values = rows.map((row) => features[row * inputs + input] ?? 0).filter((value) => !Number.isNaN(value));
    const { mean, deviation } = isFlag?.[input] ? { mean: 0, deviation: 1 } : spreadOf(values);
    scale.mean.push(mean);
    scale.deviation.push(deviation);
  }
  return scale;
}

/** Mean and population deviation of some values; 0 and 1 for none. */
export function spreadOf(values: ArrayLike<number>): { mean: number; deviation: number } {
  const all = Array.from(values);
  if (all.length === 0) return { mean: 0, deviation: 1 };
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  // A constant feature carries no information; dividing it by 1 keeps it at zero.
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

function standardizeRows({ inputs, features, labels }: Tabular, rows: readonly number[], scale: Scale): Rows {
  const picked = new Float64Array(rows.length * inputs);
  rows.forEach((row, place) => {
    for (let input = 0; input < inputs; input++) {
      const value = features[row * inputs + input] ?? 0;
      const standard = (value - (scale.mean[input] ?? 0)) / (scale.deviation[input] ?? 1);
      picked[place * inputs + input] = Number.isNaN(standard) ? 0 : standard;
    }
  });
  const chosen = rows.map((row) => labels[row] ?? 0);
  const ofRows = labels instanceof Float64Array ? Float64Array.from(chosen) : Uint8Array.from(chosen);
  return { count: rows.length, features: picked, labels: ofRows };
}
