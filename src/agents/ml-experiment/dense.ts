import { type Batch, type Floats, indexColumns } from './batch.js';

/** A fully connected layer; its arrays are views into the network's flat arrays. */
export interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  /** `inputs` rows of `outputs` weights each. */
  readonly weights: Floats;
  readonly biases: Floats;
  readonly weightGradient: Floats;
  readonly biasGradient: Floats;
}

/** `result[row] = biases + batch[row] * weights`, `outputs` values per row. Takes four inputs per iteration. */
export function applyDense(layer: Dense, batch: Batch, result: Floats): void {
  const { outputs, weights, biases } = layer;
  const { rowStart, columns, values } = batch;
  for (let row = 0; row < batch.count; row++) {
    const base = row * outputs;
    const end = rowStart[row + 1] ?? 0;
    let place = rowStart[row] ?? 0;
    for (let output = 0; output < outputs; output++) result[base + output] = biases[output] ?? 0;
    for (; place + 3 < end; place += 4) {
      const value0 = values[place] ?? 0;
      const value1 = values[place + 1] ?? 0;
      const value2 = values[place + 2] ?? 0;
      const value3 = values[place + 3] ?? 0;
      const start0 = (columns[place] ?? 0) * outputs;
      const start1 = (columns[place + 1] ?? 0) * outputs;
      const start2 = (columns[place + 2] ?? 0) * outputs;
      const start3 = (columns[place + 3] ?? 0) * outputs;
      for (let output = 0; output < outputs; output++) {
        result[base + output] =
          (result[base + output] ?? 0) +
          value0 * (weights[start0 + output] ?? 0) +
          value1 * (weights[start1 + output] ?? 0) +
          value2 * (weights[start2 + output] ?? 0) +
          value3 * (weights[start3 + output] ?? 0);
      }
    }
    for (; place < end; place++) {
      const value = values[place] ?? 0;
      const start = (columns[place] ?? 0) * outputs;
      for (let output = 0; output < outputs; output++) {
        result[base + output] = (result[base + output] ?? 0) + value * (weights[start + output] ?? 0);
      }
    }
  }
}

/** Adds the gradients of weights and biases, given the gradient of the layer's results. Takes four rows per iteration. */
export function addGradients(layer: Dense, batch: Batch, resultGradient: Floats): void {
  const { inputs, outputs, weightGradient, biasGradient } = layer;
  const { columnStart, rows, columnValues } = batch;
  indexColumns(batch);
  for (let input = 0; input < inputs; input++) {
    const base = input * outputs;
    const end = columnStart[input + 1] ?? 0;
    let place = columnStart[input] ?? 0;
    for (; place + 3 < end; place += 4) {
      const value0 = columnValues[place] ?? 0;
      const value1 = columnValues[place + 1] ?? 0;
      const value2 = columnValues[place + 2] ?? 0;
      const value3 = columnValues[place + 3] ?? 0;
      const start0 = (rows[place] ?? 0) * outputs;
      const start1 = (rows[place + 1] ?? 0) * outputs;
      const start2 = (rows[place + 2] ?? 0) * outputs;
      const start3 = (rows[place + 3] ?? 0) * outputs;
      for (let output = 0; output < outputs; output++) {
        weightGradient[base + output] =
          (weightGradient[base + output] ?? 0) +
          value0 * (resultGradient[start0 + output] ?? 0) +
          value1 * (resultGradient[start1 + output] ?? 0) +
          value2 * (resultGradient[start2 + output] ?? 0) +
          value3 * (resultGradient[start3 + output] ?? 0);
      }
    }
    for (; place < end; place++) {
      const value = columnValues[place] ?? 0;
      const start = (rows[place] ?? 0) * outputs;
      for (let output = 0; output < outputs; output++) {
        weightGradient[base + output] =
          (weightGradient[base + output] ?? 0) + value * (resultGradient[start + output] ?? 0);
      }
    }
  }
  for (let row = 0; row < batch.count; row++) {
    for (let output = 0; output < outputs; output++) {
      biasGradient[output] = (biasGradient[output] ?? 0) + (resultGradient[row * outputs + output] ?? 0);
    }
  }
}

/** Computes the gradient of the layer's inputs, zero where a ReLU cut them: `inputs` values per row. */
export function backpropagate(layer: Dense, batch: Batch, resultGradient: Floats, inputGradient: Floats): void {
  const { inputs, outputs, weights } = layer;
  const { rowStart, columns } = batch;
  inputGradient.fill(0, 0, batch.count * inputs);
  for (let row = 0; row < batch.count; row++) {
    for (let place = rowStart[row] ?? 0; place < (rowStart[row + 1] ?? 0); place++) {
      const input = columns[place] ?? 0;
      let sum = 0;
      for (let output = 0; output < outputs; output++) {
        sum += (weights[input * outputs + output] ?? 0) * (resultGradient[row * outputs + output] ?? 0);
      }
      inputGradient[row * inputs + input] = sum;
    }
  }
}
