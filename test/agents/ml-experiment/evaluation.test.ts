import { expect, it } from 'vitest';
import { buildConfusionMatrix, macroF1, scoreClasses } from '../../../src/agents/ml-experiment/evaluation.js';

const labels = Uint8Array.of(0, 0, 0, 1, 1, 2);
const predictions = Uint8Array.of(0, 0, 1, 1, 1, 1);

it('the confusion matrix counts actual by predicted', () => {
  expect(buildConfusionMatrix(labels, predictions, 3)).toEqual([
    [2, 1, 0],
    [0, 2, 0],
    [0, 1, 0],
  ]);
});

it('scores are 0 where there is nothing to divide by', () => {
  const scores = scoreClasses(buildConfusionMatrix(labels, predictions, 3), ['a', 'b', 'c']);
  expect(scores).toEqual([
    { class: 'a', precision: 1, recall: 2 / 3, f1: 0.8, support: 3 },
    { class: 'b', precision: 0.5, recall: 1, f1: 2 / 3, support: 2 },
    { class: 'c', precision: 0, recall: 0, f1: 0, support: 1 },
  ]);
});

it('macro f1 leaves out classes that occur nowhere', () => {
  const matrix = buildConfusionMatrix(labels, predictions, 4);
  const scores = scoreClasses(matrix, ['a', 'b', 'c', 'd']);
  expect(macroF1(matrix, scores)).toBeCloseTo((0.8 + 2 / 3 + 0) / 3, 12);
});
