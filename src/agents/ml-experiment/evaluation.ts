import type { Rows } from './dataset.js';
import type { LossFunction } from './loss.js';
import type { Network } from './network.js';
import { rangeOf } from './random.js';

/** The performance of a network on some rows. */
export interface Evaluation {
  /** Mean loss per row, without the penalty on weights. */
  loss: number;
  /** Share of rows whose highest score is that of their class; NaN for a numeric target. */
  accuracy: number;
  /** Index of the class with the highest score for each row, the lower one of equals; the score of a numeric target. */
  predictions: Uint8Array | Float64Array;
}

/** Scores all rows, `network.capacity` at a time. Calls `checkStop` before each of these steps; it may throw. */
export function evaluate(network: Network, lossFunction: LossFunction, rows: Rows, checkStop: () => void): Evaluation {
  const { capacity, classes } = network;
  const order = rangeOf(rows.count);
  const isNumeric = rows.labels instanceof Float64Array;
  const predictions = isNumeric ? new Float64Array(rows.count) : new Uint8Array(rows.count);
  let loss = 0;
  let correct = 0;
  for (let from = 0; from < rows.count; from += capacity) {
    checkStop();
    const count = Math.min(capacity, rows.count - from);
    const labels = rows.labels.subarray(from, from + count);
    const scores = network.score(rows, order, from, count);
    loss += lossFunction({ scores, labels, count, classes });
    for (let row = 0; row < count; row++) {
      if (isNumeric) {
        predictions[from + row] = scores[row] ?? 0;
        continue;
      }
      let best = 0;
      for (let k = 1; k < classes; k++) {
        if ((scores[row * classes + k] ?? 0) > (scores[row * classes + best] ?? 0)) best = k;
      }
      predictions[from + row] = best;
      if (best === labels[row]) correct++;
    }
  }
  return { loss: loss / rows.count, accuracy: isNumeric ? Number.NaN : correct / rows.count, predictions };
}

/** The scores of one class; 0 where the denominator of a ratio is 0. */
export type ClassScores = {
  class: string;
  /** Share of the rows predicted as this class that belong to it. */
  precision: number;
  /** Share of the rows of this class that were predicted as it. */
  recall: number;
  /** Harmonic mean of precision and recall. */
  f1: number;
  /** Number of rows of this class. */
  support: number;
};

/** The confusion matrix `[actual][predicted]`, in rows; its sum is the number of rows. */
export function buildConfusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < labels.length; row++) {
    const counts = matrix[labels[row] ?? 0] ?? [];
    const predicted = predictions[row] ?? 0;
    counts[predicted] = (counts[predicted] ?? 0) + 1;
  }
  return matrix;
}

/** Precision, recall and F1 of each class, from a confusion matrix. */
export function scoreClasses(matrix: number[][], classes: string[]): ClassScores[] {
  return classes.map((name, index) => {
    const truePositives = matrix[index]?.[index] ?? 0;
    const support = (matrix[index] ?? []).reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, counts) => sum + (counts[index] ?? 0), 0);
    return {
      class: name,
      precision: predicted === 0 ? 0 : truePositives / predicted,
      recall: support === 0 ? 0 : truePositives / support,
      f1: support + predicted === 0 ? 0 : (2 * truePositives) / (support + predicted),
      support,
    };
  });
}

/** Unweighted mean of F1 over the classes that occur among labels or predictions, as scikit-learn computes it. */
export function macroF1(matrix: number[][], scores: ClassScores[]): number {
  const occurring = scores.filter(
    ({ support }, index) => support > 0 || matrix.some((counts) => (counts[index] ?? 0) > 0),
  );
  return occurring.reduce((sum, { f1 }) => sum + f1, 0) / occurring.length;
}
