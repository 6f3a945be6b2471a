import type { Rows } from './dataset.js';
import type { Head } from './head.js';
import type { Network } from './network.js';
import { rangeOf } from './random.js';

/** How a network does on some rows. */
export interface Evaluation {
  /** Mean loss a row, without the penalty on weights. */
  loss: number;
  /** Share of rows whose highest score is that of their class. */
  accuracy: number;
  /** The class with the highest score, a row; the lower one of equals. */
  predictions: Uint8Array;
}

/** Scores all rows, `network.capacity` at a time; `checkStop` is called before each turn and may throw. */
export function evaluate(network: Network, head: Head, rows: Rows, checkStop: () => void): Evaluation {
  const { capacity, classes } = network;
  const order = rangeOf(rows.count);
  const predictions = new Uint8Array(rows.count);
  let loss = 0;
  let right = 0;
  for (let from = 0; from < rows.count; from += capacity) {
    checkStop();
    const count = Math.min(capacity, rows.count - from);
    const labels = rows.labels.subarray(from, from + count);
    const scores = network.score(rows, order, from, count);
    loss += head({ scores, labels, count, classes });
    for (let row = 0; row < count; row++) {
      let best = 0;
      for (let k = 1; k < classes; k++) {
        if ((scores[row * classes + k] ?? 0) > (scores[row * classes + best] ?? 0)) best = k;
      }
      predictions[from + row] = best;
      if (best === labels[row]) right++;
    }
  }
  return { loss: loss / rows.count, accuracy: right / rows.count, predictions };
}

/** How one class did; 0 where a ratio has nothing to divide by. */
export type ClassScores = {
  class: string;
  /** Of the rows predicted as this class, the share that are. */
  precision: number;
  /** Of the rows of this class, the share that were predicted so. */
  recall: number;
  /** Harmonic mean of the two. */
  f1: number;
  /** Rows of this class. */
  support: number;
};

/** `matrix[actual][predicted]`, in rows; their sum is the number of rows. */
export function countConfusion(labels: Uint8Array, predictions: Uint8Array, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, row) => {
    const counts = matrix[label] ?? [];
    const predicted = predictions[row] ?? 0;
    counts[predicted] = (counts[predicted] ?? 0) + 1;
  });
  return matrix;
}

export function scoreClasses(matrix: number[][], classes: string[]): ClassScores[] {
  return classes.map((name, index) => {
    const hits = matrix[index]?.[index] ?? 0;
    const support = (matrix[index] ?? []).reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, counts) => sum + (counts[index] ?? 0), 0);
    return {
      class: name,
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: support === 0 ? 0 : hits / support,
      f1: support + predicted === 0 ? 0 : (2 * hits) / (support + predicted),
      support,
    };
  });
}

/** The plain mean of f1 over the classes that occur among labels or predictions, as scikit-learn takes it. */
export function averageF1(matrix: number[][], scores: ClassScores[]): number {
  const occurring = scores.filter(
    ({ support }, index) => support > 0 || matrix.some((counts) => (counts[index] ?? 0) > 0),
  );
  return occurring.reduce((sum, { f1 }) => sum + f1, 0) / occurring.length;
}
