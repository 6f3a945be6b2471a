import { createFloats, type Floats, type Precision } from './batch.js';
import type { OptimizerName } from './payload.js';

/** Moves the parameters one step against their gradient, in place. */
export type Optimizer = (parameters: Floats, gradient: Floats) => void;

export function createOptimizer(
  name: OptimizerName,
  learningRate: number,
  size: number,
  precision: Precision,
): Optimizer {
  return name === 'adam' ? adam(learningRate, size, precision) : sgd(learningRate);
}

/** Stochastic gradient descent without momentum. */
function sgd(learningRate: number): Optimizer {
  return (parameters, gradient) => {
    for (let index = 0; index < parameters.length; index++) {
      parameters[index] = (parameters[index] ?? 0) - learningRate * (gradient[index] ?? 0);
    }
  };
}

/** Adam with its usual constants (Kingma and Ba 2015, algorithm 1); the bias corrections are folded into rate and epsilon. */
function adam(learningRate: number, size: number, precision: Precision): Optimizer {
  const beta1 = 0.9;
  const beta2 = 0.999;
  const epsilon = 1e-8;
  const mean = createFloats(precision, size);
  const square = createFloats(precision, size);
  let steps = 0;
  return (parameters, gradient) => {
    steps++;
    const correction = Math.sqrt(1 - beta2 ** steps);
    const stepRate = (learningRate * correction) / (1 - beta1 ** steps);
    const stepEpsilon = epsilon * correction;
    for (let index = 0; index < size; index++) {
      const slope = gradient[index] ?? 0;
      const m = beta1 * (mean[index] ?? 0) + (1 - beta1) * slope;
      const v = beta2 * (square[index] ?? 0) + (1 - beta2) * slope * slope;
      mean[index] = m;
      square[index] = v;
      parameters[index] = (parameters[index] ?? 0) - (stepRate * m) / (Math.sqrt(v) + stepEpsilon);
    }
  };
}
