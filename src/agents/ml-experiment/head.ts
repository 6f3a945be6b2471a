import type { Floats } from './batch.js';
import type { ModelName } from './payload.js';

/** The scores of some rows, `classes` a row, with the right class of each. */
export interface Scored {
  scores: Floats;
  labels: Uint8Array;
  count: number;
  classes: number;
}

/**
 * A loss over class scores. Returns the sum of the rows' losses; when `gradient` is given, writes into it the gradient
 * of `share` times that sum by the scores.
 */
export type Head = (scored: Scored, gradient?: Floats, share?: number) => number;

/** The loss each model is trained on: linear and neural take softmax, svm takes the hinge. */
export const heads: Record<ModelName, Head> = { linear: softmaxHead, neural: softmaxHead, svm: hingeHead };

/** Softmax cross-entropy, in nats. */
export function softmaxHead({ scores, labels, count, classes }: Scored, gradient?: Floats, share = 1): number {
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
      gradient[base + k] = share * (k === label ? probability - 1 : probability);
    }
  }
  return total;
}

/**
 * The multi-class hinge `max(0, 1 + max over k != y of s_k - s_y)` (Crammer and Singer, "On the algorithmic
 * implementation of multiclass kernel-based vector machines", 2001).
 */
export function hingeHead({ scores, labels, count, classes }: Scored, gradient?: Floats, share = 1): number {
  let total = 0;
  for (let row = 0; row < count; row++) {
    const base = row * classes;
    const label = labels[row] ?? 0;
    let rival = label === 0 ? 1 : 0;
    for (let k = 0; k < classes; k++) {
      if (k !== label && (scores[base + k] ?? 0) > (scores[base + rival] ?? 0)) rival = k;
    }
    // Math.max keeps NaN, where a comparison would turn a diverged row into a loss of zero.
    const loss = Math.max(0, 1 + (scores[base + rival] ?? 0) - (scores[base + label] ?? 0));
    total += loss;
    if (!gradient) continue;
    gradient.fill(0, base, base + classes);
    if (loss <= 0) continue;
    gradient[base + rival] = share;
    gradient[base + label] = -share;
  }
  return total;
}
