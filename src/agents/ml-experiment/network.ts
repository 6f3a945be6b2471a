import {
  type Batch,
  createBatch,
  createFloats,
  type Floats,
  fillFromPositive,
  fillFromRows,
  type Precision,
} from './batch.js';
import type { Rows } from './dataset.js';
import { addGradients, applyDense, backpropagate, type Dense } from './dense.js';
import { drawNormal, type Random } from './random.js';

/** One dense layer, or two with a ReLU between them. */
export interface Network {
  readonly classes: number;
  /** How many rows `score` accepts at once. */
  readonly capacity: number;
  /** All weights and biases, layer after layer; `gradient` has the same layout. */
  readonly parameters: Floats;
  readonly gradient: Floats;
  readonly layers: readonly Dense[];
  /** Class scores of the `count` rows from `order[from]` on, `classes` values per row; valid until the next call. */
  score(rows: Rows, order: Int32Array, from: number, count: number): Floats;
  /** Adds to `gradient` the gradient of the rows scored last, given the gradient of their scores. */
  addGradient(scoreGradient: Floats): void;
}

export interface NetworkShape {
  inputs: number;
  /** Units of the hidden layer; undefined for none. */
  hidden: number | undefined;
  classes: number;
  precision: Precision;
  capacity: number;
}

/**
 * A network with zero biases and normally distributed first weights, of variance 2 / inputs before a ReLU (He, Zhang, Ren,
 * Sun 2015, Delving deep into rectifiers) and 1 / inputs otherwise (LeCun, Bottou, Orr, Müller 1998, Efficient backprop).
 */
export function createNetwork(shape: NetworkShape, random: Random): Network {
  const { inputs, hidden, classes, precision, capacity } = shape;
  const sizes = hidden === undefined ? [inputs, classes] : [inputs, hidden, classes];
  const total = sizes.slice(1).reduce((sum, outputs, index) => sum + ((sizes[index] ?? 0) + 1) * outputs, 0);
  const parameters = createFloats(precision, total);
  const gradient = createFloats(precision, total);
  const [first, second] = splitLayers(sizes, parameters, gradient);
  if (!first) throw new Error('A network needs at least one layer.');
  initializeWeights(first, second ? 2 : 1, random);

  const input = createBatch(capacity, inputs, precision);
  const scores = createFloats(precision, capacity * classes);
  const shared = { classes, capacity, parameters, gradient };
  if (!second) {
    return {
      ...shared,
      layers: [first],
      score(rows, order, from, count) {
        fillFromRows(input, rows, order, from, count);
        applyDense(first, input, scores);
        return scores;
      },
      addGradient: (scoreGradient) => addGradients(first, input, scoreGradient),
    };
  }

  initializeWeights(second, 1, random);
  const units = createFloats(precision, capacity * first.outputs);
  const unitGradient = createFloats(precision, capacity * first.outputs);
  const active: Batch = createBatch(capacity, first.outputs, precision);
  return {
    ...shared,
    layers: [first, second],
    score(rows, order, from, count) {
      fillFromRows(input, rows, order, from, count);
      applyDense(first, input, units);
      fillFromPositive(active, units, count);
      applyDense(second, active, scores);
      return scores;
    },
    addGradient(scoreGradient) {
      addGradients(second, active, scoreGradient);
      backpropagate(second, active, scoreGradient, unitGradient);
      addGradients(first, input, unitGradient);
    },
  };
}

/** Views into the flat arrays, one pair of weights and biases per layer. */
function splitLayers(sizes: number[], parameters: Floats, gradient: Floats): Dense[] {
  let start = 0;
  return sizes.slice(1).map((outputs, index) => {
    const inputs = sizes[index] ?? 0;
    const middle = start + inputs * outputs;
    const end = middle + outputs;
    const layer = {
      inputs,
      outputs,
      weights: parameters.subarray(start, middle),
      biases: parameters.subarray(middle, end),
      weightGradient: gradient.subarray(start, middle),
      biasGradient: gradient.subarray(middle, end),
    };
    start = end;
    return layer;
  });
}

function initializeWeights(layer: Dense, gain: number, random: Random): void {
  const deviation = Math.sqrt(gain / layer.inputs);
  for (let index = 0; index < layer.weights.length; index++) layer.weights[index] = deviation * drawNormal(random);
}
