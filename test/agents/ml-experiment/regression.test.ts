import { expect, it } from 'vitest';
import { runExperiment } from '../../../src/agents/ml-experiment/experiment.js';
import { saveOwnDataset } from '../../../src/agents/ml-experiment/own-table.js';
import { experimentPayload, resolveParams } from '../../../src/agents/ml-experiment/payload.js';
import { createRandom } from '../../../src/agents/ml-experiment/random.js';
import { scoreRegression } from '../../../src/agents/ml-experiment/regression.js';
import { tempDir } from '../../support/temp-dir.js';

const hooks = { shouldStop: () => false, onProgress: () => undefined, now: () => 0 };

/** y = 3 + 2 a - 5 b + noise. */
function noisy(count: number): string {
  const random = createRandom(5);
  const lines = Array.from({ length: count }, () => {
    const [a, b, noise] = [random() * 10, random() - 20, random() - 0.5];
    return `${a},${b},${3 + 2 * a - 5 * b + noise}`;
  });
  return `a,b,y\n${lines.join('\n')}\n`;
}

function experiment(text: string, payload: object) {
  const dataDir = tempDir();
  const rules = { target: 'y', task: 'regression', categorical: [], ordinal: {}, ignore: [], missing: 'fill' } as const;
  const bytes = Buffer.from(text);
  saveOwnDataset(dataDir, { name: 'own', bytes, source: 'own.csv', rules, now: '2026-01-01T00:00:00Z' });
  const params = resolveParams(experimentPayload.parse({ dataset: 'own', ...payload }));
  return runExperiment({ params, dataDir }, hooks);
}

it('a linear regression comes to the least squares solution, computed here by the normal equations', () => {
  const text = noisy(60);
  const result = experiment(text, { optimizer: 'sgd', learning_rate: 0.1, batch_size: 100, epochs: 500, seed: 3 });
  // With every train row in each step, gradient descent has only one place to go to. The test rows are the first 12 of the shuffle.
  const order = Int32Array.from({ length: 60 }, (_, index) => index);
  const random = createRandom(3);
  for (let last = 59; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number));
  const pick = (places: Int32Array) => Array.from(places, (place) => rows[place] ?? []);
  const [test, train] = [pick(order.slice(0, 12)), pick(order.slice(12))];
  const weights = leastSquares(train);
  const errors = test.map(
    ([a = 0, b = 0, y = 0]) => (weights[0] ?? 0) + (weights[1] ?? 0) * a + (weights[2] ?? 0) * b - y,
  );
  const squares = errors.reduce((sum, error) => sum + error ** 2, 0);
  const mean = test.reduce((sum, [, , y = 0]) => sum + y, 0) / test.length;
  const spread = test.reduce((sum, [, , y = 0]) => sum + (y - mean) ** 2, 0);
  expect(result).toMatchObject({ trainSize: 48, testSize: 12, test: { task: 'regression' } });
  const { rmse, mae, r2 } = result.test as { rmse: number; mae: number; r2: number };
  expect(rmse).toBeCloseTo(Math.sqrt(squares / 12), 9);
  expect(mae).toBeCloseTo(errors.reduce((sum, error) => sum + Math.abs(error), 0) / 12, 9);
  expect(r2).toBeCloseTo(1 - squares / spread, 9);
});

it('a neural network learns what no line can', () => {
  const lines = Array.from({ length: 200 }, (_, row) => `${row / 100 - 1},${(row / 100 - 1) ** 2 + 0.5}`);
  const text = `x,y\n${lines.join('\n')}\n`;
  const r2Of = (model: string) => (experiment(text, { model }).test as { r2: number }).r2;
  expect(r2Of('neural')).toBeGreaterThan(0.95);
  expect(r2Of('linear')).toBeLessThan(0.3);
});

it('a support vector machine is refused a number, and a guess of the mean is called one', () => {
  expect(() => experiment(noisy(20), { model: 'svm' })).toThrow(
    'svm tells classes apart, and the target of own, y, is a number',
  );
  expect(experiment(noisy(20), { learning_rate: 0, epochs: 1 }).warnings).toContainEqual(
    expect.stringMatching(/^test r2 is -?\d+\.\d+: no better than always naming the mean of y$/),
  );
});

it('scores are those of their definitions', () => {
  // Values 3, -0.5, 2, 7 and guesses 2.5, 0, 2, 8: the example of scikit-learn's r2_score and mean_absolute_error.
  const test = { count: 4, features: new Float64Array(4), labels: Float64Array.of(3, -0.5, 2, 7) };
  const scores = scoreRegression({ test, target: { name: 'y', mean: 0, deviation: 1 } }, [2.5, 0, 2, 8]);
  expect(scores.r2).toBeCloseTo(0.9486081370449679, 12);
  expect(scores).toMatchObject({ mae: 0.5, rmse: Math.sqrt(0.375) });
});

/** Weights [1, a, b] by Gaussian elimination of the normal equations. */
function leastSquares(rows: number[][]): number[] {
  const designs = rows.map(([a = 0, b = 0, y = 0]) => ({ x: [1, a, b], y }));
  const matrix = [0, 1, 2].map((i) => [
    ...[0, 1, 2].map((j) => designs.reduce((sum, { x }) => sum + (x[i] ?? 0) * (x[j] ?? 0), 0)),
    designs.reduce((sum, { x, y }) => sum + (x[i] ?? 0) * y, 0),
  ]);
  for (const [pivot, top] of matrix.entries()) {
    for (const [index, row] of matrix.entries()) {
      if (index === pivot) continue;
      const factor = (row[pivot] ?? 0) / (top[pivot] ?? 1);
      for (let column = 0; column < 4; column++) row[column] = (row[column] ?? 0) - factor * (top[column] ?? 0);
    }
  }
  return matrix.map((row, index) => (row[3] ?? 0) / (row[index] ?? 1));
}
