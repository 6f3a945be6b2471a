/** An element that must exist. Throws RangeError, because a defect of ours must not turn into NaN. */
export function valueAt<Value>(values: ArrayLike<Value>, index: number): Value {
  const value = values[index];
  if (value === undefined) throw new RangeError(`No element ${index} in a list of ${values.length}`);
  return value;
}

/** Arithmetic mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Standard deviation in two passes; the divisor is n - `freedom`: 0 for a population, 1 for a sample. */
export function standardDeviation(values: readonly number[], freedom: 0 | 1): number {
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (values.length - freedom));
}

/** y = alpha + beta x + residual. */
export interface Regression {
  alpha: number;
  beta: number;
  residuals: number[];
}

/** Ordinary least squares of y on x with a constant, in two passes; undefined when x does not vary. */
export function regress(y: readonly number[], x: readonly number[]): Regression | undefined {
  if (x.every((value) => value === x[0])) return undefined;
  const [meanX, meanY] = [mean(x), mean(y)];
  let [products, squares] = [0, 0];
  for (const [i, value] of x.entries()) {
    products += (value - meanX) * (valueAt(y, i) - meanY);
    squares += (value - meanX) ** 2;
  }
  const beta = products / squares;
  const alpha = meanY - beta * meanX;
  // Centred, because alpha + beta x loses digits when logs of prices are large against their spread.
  const residuals = x.map((value, i) => valueAt(y, i) - meanY - beta * (value - meanX));
  return { alpha, beta, residuals };
}
