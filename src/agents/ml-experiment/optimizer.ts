import { createFloats, type Floats, type Precision } from './batch.js';
import type { OptimizerName } from './payload.js';

/** Moves the parameters one step against their gradient. */
export type Optimizer = (parameters: Floats, gradient: Floats) => void;

export function createOptimizer(name: OptimizerName, rate: number, size: number, precision: Precision): Optimizer {
  return name === 'adam' ? adam(rate, size, precision) : sgd(rate);
}

function sgd(rate: number): Optimizer {
  return (parameters, gradient) => {
    for (let index = 0; index < parameters.length; index++) {
      parameters[index] = (parameters[index] ?? 0) - rate * (gradient[index] ?? 0);
    }
  };
}

/** Adam with its usual constants (Kingma and Ba, 2015, algorithm 1), both bias corrections folded into rate and epsilon. */
function adam(rate: number, size: number, precision: Precision): Optimizer {
  const beta1 = 0.9;
  const beta2 = 0.999;
  const epsilon = 1e-8;
  const mean = createFloats(precision, size);
  const square = createFloats(precision, size);
  let steps = 0;
  return (parameters, gradient) => {
    steps++;
    const spread = Math.sqrt(1 - beta2 ** steps);
    const stepRate = (rate * spread) / (1 - beta1 ** steps);
    const stepEpsilon = epsilon * spread;
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
