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
