import type { Dataset, Rows } from './dataset.js';
import { irisCsv } from './iris-data.js';
import type { Params } from './payload.js';
import { type Random, rangeOf, shuffle } from './random.js';

const inputs = 4;

/**
 * The built-in iris rows in a stratified split, standardised with the mean and deviation of the train rows.
 *
 * All rows are shuffled. In each class the first `testFraction` become test rows, the others, in shuffled order, train
 * rows. The reference figures of the tests were computed on the split of seed 42 and 0.2.
 */
export function readIris(params: Pick<Params, 'testFraction' | 'limitTrain' | 'limitTest'>, random: Random): Dataset {
  const { classes, features, labels } = parseIris();
  const { train, test } = splitByClass(labels, params.testFraction ?? 0.2, random);
  const trainRows = train.slice(0, params.limitTrain);
  const testRows = test.slice(0, params.limitTest);
  const scale = fitScale(features, trainRows);
  return {
    name: 'iris',
    classes,
    inputs,
    train: standardizeRows(features, labels, trainRows, scale),
    test: standardizeRows(features, labels, testRows, scale),
    source: 'built in: Fisher 1936, Iris, UCI Machine Learning Repository (CC BY 4.0), 150 rows',
    warnings: [],
  };
}

interface Scale {
  mean: number[];
  deviation: number[];
}

function parseIris(): { classes: string[]; features: Float64Array; labels: Uint8Array } {
  const lines = irisCsv.trim().split('\n').slice(1);
  const classes: string[] = [];
  const features = new Float64Array(lines.length * inputs);
  const labels = new Uint8Array(lines.length);
  lines.forEach((line, row) => {
    const fields = line.split(',');
    const species = fields.pop() ?? '';
    if (!classes.includes(species)) classes.push(species);
    labels[row] = classes.indexOf(species);
    features.set(fields.map(Number), row * inputs);
  });
  return { classes, features, labels };
}

/** Goes through the shuffled rows and holds out the first of each class, until its share is reached. */
function splitByClass(labels: Uint8Array, fraction: number, random: Random): { train: number[]; test: number[] } {
  const order = rangeOf(labels.length);
  shuffle(order, random);
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const held = new Map([...sizes].map(([label, size]) => [label, Math.max(1, Math.round(size * fraction))]));
  const train: number[] = [];
  const test: number[] = [];
  for (const row of order) {
    const label = labels[row] ?? 0;
    const left = held.get(label) ?? 0;
    if (left > 0) held.set(label, left - 1);
    (left > 0 ? test : train).push(row);
  }
  return { train, test };
}

function fitScale(features: Float64Array, rows: number[]): Scale {
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let input = 0; input < inputs; input++) {
    const values = rows.map((row) => features[row * inputs + input] ?? 0);
    const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length;
    mean.push(centre);
    // A constant feature carries no information; dividing it by 1 keeps it at zero.
    deviation.push(Math.sqrt(variance) || 1);
  }
  return { mean, deviation };
}

function standardizeRows(features: Float64Array, labels: Uint8Array, rows: number[], scale: Scale): Rows {
  const picked = new Float64Array(rows.length * inputs);
  rows.forEach((row, place) => {
    for (let input = 0; input < inputs; input++) {
      const value = features[row * inputs + input] ?? 0;
      picked[place * inputs + input] = (value - (scale.mean[input] ?? 0)) / (scale.deviation[input] ?? 1);
    }
  });
  return { count: rows.length, features: picked, labels: Uint8Array.from(rows, (row) => labels[row] ?? 0) };
}
