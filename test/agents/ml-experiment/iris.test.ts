import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readIris } from '../../../src/agents/ml-experiment/iris.js';
import { irisCsv } from '../../../src/agents/ml-experiment/iris-data.js';
import { createRandom } from '../../../src/agents/ml-experiment/random.js';

const whole = { testFraction: 0.2, limitTrain: undefined, limitTest: undefined };
const countLabels = (labels: ArrayLike<number>) =>
  [0, 1, 2].map((label) => Array.from(labels).filter((each) => each === label).length);

it('the rows are those of the checked file', () => {
  const hash = createHash('sha256').update(irisCsv).digest('hex');
  expect(hash).toBe('9cc1c345c71bcc9b486b74cbf6063fa66f4bb5e0f603a4b3c3471ec2e5e8e355');
});

describe('the split', () => {
  it('holds out the same share of each class', () => {
    const data = readIris(whole, createRandom(42));
    expect(data.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(countLabels(data.train.labels)).toEqual([40, 40, 40]);
    expect(countLabels(data.test.labels)).toEqual([10, 10, 10]);
    expect(countLabels(readIris({ ...whole, testFraction: 0.02 }, createRandom(42)).test.labels)).toEqual([1, 1, 1]);
    expect(countLabels(readIris({ ...whole, testFraction: 0.9 }, createRandom(42)).train.labels)).toEqual([5, 5, 5]);
  });

  it('is the same for a seed and another for another', () => {
    const first = readIris(whole, createRandom(42));
    expect(readIris(whole, createRandom(42))).toEqual(first);
    expect(readIris(whole, createRandom(43)).test.features).not.toEqual(first.test.features);
  });

  it('is cut by limits across the classes', () => {
    const { train, test } = readIris({ ...whole, limitTrain: 30, limitTest: 12 }, createRandom(42));
    expect([train.count, train.labels.length, train.features.length]).toEqual([30, 30, 120]);
    expect(test.count).toBe(12);
    expect(Math.min(...countLabels(train.labels))).toBeGreaterThan(0);
  });
});

it('train rows have mean 0 and deviation 1 in every feature; test rows are scaled by the same numbers', () => {
  const { train, test } = readIris(whole, createRandom(42));
  const column = (features: ArrayLike<number>, input: number) =>
    Array.from(features).filter((_, at) => at % 4 === input);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  for (const input of [0, 1, 2, 3]) {
    const values = column(train.features, input);
    expect(mean(values)).toBeCloseTo(0, 12);
    expect(mean(values.map((value) => value ** 2))).toBeCloseTo(1, 12);
    expect(mean(column(test.features, input))).not.toBeCloseTo(0, 6);
  }
});
