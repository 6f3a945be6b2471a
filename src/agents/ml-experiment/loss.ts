import type { Floats } from './batch.js';
import type { ModelName } from './payload.js';

/** The scores of some rows, `classes` values per row, with the true class of each row. */
export interface ScoredRows {
  scores: Floats;
  /** Class indexes, or values of a numeric target. */
  labels: Uint8Array | Float64Array;
  count: number;
  classes: number;
}

/**
 * A loss over class scores. Returns the sum of the losses of the rows. Writes into `gradient`, if given, the gradient of
 * `scale` times that sum with respect to the scores.
 */
export type LossFunction = (scored: ScoredRows, gradient?: Floats, scale?: number) => number;

/** The loss that each model is trained on. */
export const lossFunctions: Record<ModelName, LossFunction> = {
  linear: softmaxCrossEntropy,
  neural: softmaxCrossEntropy,
  svm: hingeLoss,
};

/** Softmax cross-entropy, in nats (Bishop 2006, Pattern Recognition and Machine Learning, 4.3.4). */
export function softmaxCrossEntropy(
  { scores, labels, count, classes }: ScoredRows,
  gradient?: Floats,
  scale = 1,
): number {
  let total = 0;
  for (let row = 0; row < count; row++) {
    const base = row * classes;
    const label = labels[row] ?? 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) highest = Math.max(highest, scores[base + k] ?? 0);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((scores[base + k] ?? 0) - highest);
    total += Math.log(sum) + highest - (scores[base + label] ?? 0);
    if (!gradient) continue;
    for (let k = 0; k < classes; k++) {
      const probability = Math.exp((scores[base + k] ?? 0) - highest) / sum;
      gradient[base + k] = scale * (k === label ? probability - 1 : probability);
    }
  }
  return total;
}

/**
 * Multi-class hinge loss `max(0, 1 + max over k != y of s_k - s_y)` (Crammer and Singer, "On the algorithmic
 * implementation of multiclass kernel-based vector machines", 2001).
 */
export function hingeLoss({ scores, labels, count, classes }: ScoredRows, gradient?: Floats, scale = 1): number {
  let total = 0;
  for (let row = 0; row < count; row++) {
    const base = row * classes;
    const label = labels[row] ?? 0;
    let rival = label === 0 ? 1 : 0;
    for (let k = 0; k < classes; k++) {
      if (k !== label && (scores[base + k] ?? 0) > (scores[base + rival] ?? 0)) rival = k;
    }
    // Math.max keeps NaN; a comparison would turn a diverged row into a loss of zero.
    const loss = Math.max(0, 1 + (scores[base + rival] ?? 0) - (scores[base + label] ?? 0));
    total += loss;
    if (!gradient) continue;
    gradient.fill(0, base, base + classes);
    if (loss <= 0) continue;
    gradient[base + rival] = scale;
    gradient[base + label] = -scale;
  }
  return total;
}
