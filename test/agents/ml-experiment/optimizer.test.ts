import { expect, it } from 'vitest';
import { createOptimizer } from '../../../src/agents/ml-experiment/optimizer.js';

it('adam takes the steps of its paper, with 0.9, 0.999 and 1e-8', () => {
  const gradients = [
    [0.5, -2, 0],
    [0.25, 3, 1e-6],
    [-1, 0, 1e-9],
  ];
  const rate = 0.1;
  const parameters = Float64Array.of(1, 2, 3);
  const step = createOptimizer('adam', rate, 3, 'double');
  const expected = [1, 2, 3];
  const [mean, square] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  gradients.forEach((gradient, index) => {
    step(parameters, Float64Array.from(gradient));
    const t = index + 1;
    gradient.forEach((slope, i) => {
      mean[i] = 0.9 * (mean[i] ?? 0) + 0.1 * slope;
      square[i] = 0.999 * (square[i] ?? 0) + 0.001 * slope ** 2;
      const [m, v] = [(mean[i] ?? 0) / (1 - 0.9 ** t), (square[i] ?? 0) / (1 - 0.999 ** t)];
      expected[i] = (expected[i] ?? 0) - (rate * m) / (Math.sqrt(v) + 1e-8);
    });
    for (const [i, value] of expected.entries()) expect(parameters[i]).toBeCloseTo(value, 12);
  });
});

it('sgd goes against the gradient by the rate', () => {
  const parameters = Float64Array.of(1, 2);
  createOptimizer('sgd', 0.5, 2, 'double')(parameters, Float64Array.of(4, -1));
  expect(Array.from(parameters)).toEqual([-1, 2.5]);
});
