import type { Dataset } from './dataset.js';
import type { LossFunction } from './loss.js';

/** Squared error `(score - value)^2` of a single output; with targets in standard units, a guess of the mean costs 1. */
export const squaredError: LossFunction = ({ scores, labels, count }, gradient, scale = 1) => {
  let total = 0;
  for (let row = 0; row < count; row++) {
    const error = (scores[row] ?? 0) - (labels[row] ?? 0);
    total += error * error;
    if (gradient) gradient[row] = 2 * scale * error;
  }
  return total;
};

/** How well values are predicted, in units of the target. */
export interface RegressionScores {
  /** Root of the mean squared error. */
  rmse: number;
  /** Mean absolute error. */
  mae: number;
  /**
   * Coefficient of determination, 1 - sum of squared errors / sum of squares about the mean of these rows, as scikit-learn's
   * `r2_score` has it; null where the values do not vary.
   */
  r2: number | null;
}

/** Scores predictions in standard units against the test rows. */
export function scoreRegression(
  { test, target }: Pick<Dataset, 'test' | 'target'>,
  predictions: ArrayLike<number>,
): RegressionScores {
  const unit = target?.deviation ?? 1;
  const values = Array.from(test.labels, (value) => value * unit);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [squares, absolute, spread] = [0, 0, 0];
  for (const [row, value] of values.entries()) {
    const error = (predictions[row] ?? 0) * unit - value;
    squares += error * error;
    absolute += Math.abs(error);
    spread += (value - mean) ** 2;
  }
  return {
    rmse: Math.sqrt(squares / values.length),
    mae: absolute / values.length,
    r2: spread === 0 ? null : 1 - squares / spread,
  };
}
