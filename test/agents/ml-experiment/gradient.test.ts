import { describe, expect, it } from 'vitest';
import type { Rows } from '../../../src/agents/ml-experiment/dataset.js';
import { readIris } from '../../../src/agents/ml-experiment/iris.js';
import { lossFunctions } from '../../../src/agents/ml-experiment/loss.js';
import { createNetwork } from '../../../src/agents/ml-experiment/network.js';
import { createRandom, rangeOf, shuffle } from '../../../src/agents/ml-experiment/random.js';
import { computeGradient } from '../../../src/agents/ml-experiment/trainer.js';
import { syntheticRows } from './synthetic.js';

const rowsOf = {
  iris: readIris({ testFraction: 0.2, limitTrain: undefined, limitTest: undefined }, createRandom(42)).train,
  images: syntheticRows(40, 50, 0.64, 7),
};
const never = () => undefined;

describe.each([
  { model: 'linear', hidden: undefined },
  { model: 'neural', hidden: 9 },
  { model: 'svm', hidden: undefined },
] as const)('the gradient of $model', ({ model, hidden }) => {
  it.each([
    { kind: 'iris', classes: 3, inputs: 4, l2: 0 },
    { kind: 'iris', classes: 3, inputs: 4, l2: 0.1 },
    { kind: 'images', classes: 10, inputs: 50, l2: 0.001 },
  ] as const)('is that of finite differences on $kind with l2 $l2', ({ kind, classes, inputs, l2 }) => {
    const train: Rows = rowsOf[kind];
    const random = createRandom(5);
    const order = rangeOf(train.count);
    shuffle(order, random);
    // A capacity below the batch's 17 rows, so that its micro-batches must add up.
    const network = createNetwork({ inputs, hidden, classes, precision: 'double', capacity: 7 }, random);
    const parts = {
      network,
      lossFunction: lossFunctions[model],
      data: { train },
      order,
      scoreGradient: new Float64Array(7 * classes),
    };
    const objective = () => {
      const squares = network.layers
        .flatMap(({ weights }) => [...weights])
        .reduce((sum, weight) => sum + weight ** 2, 0);
      return computeGradient(parts, 3, 17, l2, never) + (l2 / 2) * squares;
    };
    objective();
    const analytic = Array.from(network.gradient);
    const step = 1e-6;
    const numeric = analytic.map((_, index) => {
      const value = network.parameters[index] ?? 0;
      network.parameters[index] = value + step;
      const above = objective();
      network.parameters[index] = value - step;
      const below = objective();
      network.parameters[index] = value;
      return (above - below) / (2 * step);
    });
    const worst = Math.max(...analytic.map((slope, index) => Math.abs(slope - (numeric[index] ?? 0))));
    expect(worst).toBeLessThan(1e-8);
    expect(Math.max(...analytic.map(Math.abs))).toBeGreaterThan(0.01);
  });
});

describe('the losses', () => {
  const score = (model: 'linear' | 'svm', scores: number[], label: number) =>
    lossFunctions[model]({
      scores: Float64Array.from(scores),
      labels: Uint8Array.of(label),
      count: 1,
      classes: scores.length,
    });

  it('softmax is the log of the classes when all scores are equal', () => {
    expect(score('linear', [7, 7, 7], 1)).toBeCloseTo(Math.log(3), 12);
  });

  it('softmax holds at scores whose exponential is infinite', () => {
    expect(score('linear', [1_000, 0, 0], 0)).toBe(0);
    expect(score('linear', [1_000, 0, 0], 1)).toBe(1_000);
  });

  it('the hinge loss is zero from a margin of 1 over the best other class', () => {
    expect(score('svm', [2, 0, 1], 0)).toBe(0);
    expect(score('svm', [2, 0, 1.5], 0)).toBe(0.5);
    expect(score('svm', [2, 0, 1.5], 1)).toBe(3);
  });

  it('NaN does not become a loss of zero', () => {
    expect(score('linear', [Number.NaN, 0], 0)).toBeNaN();
    expect(score('svm', [Number.NaN, 0], 0)).toBeNaN();
  });
});
