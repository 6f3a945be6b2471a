import { AgentError } from '../define-agent.js';
import { createFloats } from './batch.js';
import type { Dataset } from './dataset.js';
import { type Evaluation, evaluate } from './evaluation.js';
import { type LossFunction, lossFunctions } from './loss.js';
import { createNetwork, type Network } from './network.js';
import { createOptimizer } from './optimizer.js';
import type { Params } from './payload.js';
import { type Random, rangeOf, shuffle } from './random.js';
import { squaredError } from './regression.js';

/** The performance of the network after one epoch, on all train rows. */
export interface Epoch {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Mean loss per row, without the penalty on weights. */
  loss: number;
  /** NaN for a numeric target. */
  accuracy: number;
  /** Duration of the epoch, this evaluation included. */
  seconds: number;
}

export interface TrainingProgress {
  epoch: number;
  /** Batches done in this epoch; equal to `batches` at its end. */
  batch: number;
  batches: number;
  /** Mean loss of the last batch, or of all train rows at the end of an epoch. */
  loss: number;
  /** Set at the end of an epoch only. */
  accuracy?: number;
}

export interface TrainerHooks {
  /** Asked between micro-batches of at most `microBatchRows` rows. */
  shouldStop(): boolean;
  /** Called after each epoch, and each second within one. */
  onProgress(progress: TrainingProgress): void;
  /** Called after each epoch with the epochs so far and the network as it is now. */
  onEpoch?(history: readonly Epoch[], network: Network): void;
  /** Monotonic time in milliseconds. */
  now(): number;
}

export interface Trained {
  network: Network;
  history: Epoch[];
  test: Evaluation;
}

export type TrainingParams = Pick<
  Params,
  'model' | 'epochs' | 'learningRate' | 'batchSize' | 'optimizer' | 'hidden' | 'l2'
>;

/** A batch is processed in micro-batches, which bound its memory and the time to a cancel, whatever its size. */
const microBatchRows = 64;
const progressMs = 1_000;

/**
 * Trains by mini-batches and tests the final network. Pure except for its hooks: the same data, params and state of
 * `random` give the same numbers (bit by bit on one Node version). Blocks until done, so run it in a worker.
 *
 * @throws AgentError `DIVERGED` when the loss or a weight is no longer finite, `CANCELLED` when asked to stop
 */
export function train(data: Dataset, params: TrainingParams, random: Random, hooks: TrainerHooks): Trained {
  const precision = data.train.features instanceof Uint8Array ? 'single' : 'double';
  const { inputs } = data;
  // A numeric target is a single output.
  const classes = data.target ? 1 : data.classes.length;
  const network = createNetwork(
    { inputs, hidden: params.hidden, classes, precision, capacity: microBatchRows },
    random,
  );
  const optimize = createOptimizer(params.optimizer, params.learningRate, network.parameters.length, precision);
  const lossFunction = data.target ? squaredError : lossFunctions[params.model];
  const order = rangeOf(data.train.count);
  const batches = Math.ceil(order.length / params.batchSize);
  const scoreGradient = createFloats(precision, microBatchRows * classes);
  const objective: Objective = { network, lossFunction, data, order, scoreGradient };
  const history: Epoch[] = [];

  for (let epoch = 1; epoch <= params.epochs; epoch++) {
    const startedAt = hooks.now();
    let reportedAt = startedAt;
    shuffle(order, random);
    for (let batch = 1; batch <= batches; batch++) {
      const checkStop = () => stopIfAsked(hooks, `in epoch ${epoch} of ${params.epochs}, batch ${batch} of ${batches}`);
      const from = (batch - 1) * params.batchSize;
      const loss = computeGradient(
        objective,
        from,
        Math.min(params.batchSize, order.length - from),
        params.l2,
        checkStop,
      );
      if (!Number.isFinite(loss)) throw diverged(params, epoch, `the loss of batch ${batch} is ${loss}`);
      optimize(network.parameters, network.gradient);
      const time = hooks.now();
      if (batch < batches && time - reportedAt >= progressMs) {
        reportedAt = time;
        hooks.onProgress({ epoch, batch, batches, loss });
      }
    }
    const checkStop = () => stopIfAsked(hooks, `after the steps of epoch ${epoch} of ${params.epochs}`);
    const { loss, accuracy } = evaluate(network, lossFunction, data.train, checkStop);
    if (!Number.isFinite(loss)) throw diverged(params, epoch, `the training loss is ${loss}`);
    if (!network.parameters.every(Number.isFinite)) throw diverged(params, epoch, 'a weight is no longer finite');
    history.push({ epoch, loss, accuracy, seconds: (hooks.now() - startedAt) / 1_000 });
    hooks.onEpoch?.(history, network);
    hooks.onProgress({ epoch, batch: batches, batches, loss, accuracy });
  }
  return {
    network,
    history,
    test: evaluate(network, lossFunction, data.test, () => stopIfAsked(hooks, 'during the test')),
  };
}

/** The objective without its penalty: a loss of a network over train rows, and the memory to differentiate it. */
export interface Objective {
  network: Network;
  lossFunction: LossFunction;
  data: Pick<Dataset, 'train'>;
  /** Indexes of the train rows in the order of training. */
  order: Int32Array;
  /** Room for the scores of `network.capacity` rows. */
  scoreGradient: Float32Array | Float64Array;
}

/**
 * Sets the network's gradient to that of one batch, the `count` rows from `order[from]` on. The objective is the mean loss
 * plus `l2 / 2` times the sum of squared weights. Returns the mean loss without the penalty.
 */
export function computeGradient(
  objective: Objective,
  from: number,
  count: number,
  l2: number,
  checkStop: () => void,
): number {
  const { network, lossFunction, data, order, scoreGradient } = objective;
  const { classes, capacity } = network;
  const size = Math.min(capacity, count);
  const labels = data.train.labels instanceof Float64Array ? new Float64Array(size) : new Uint8Array(size);
  network.gradient.fill(0);
  let total = 0;
  for (let done = 0; done < count; done += capacity) {
    checkStop();
    const rows = Math.min(capacity, count - done);
    for (let row = 0; row < rows; row++) labels[row] = data.train.labels[order[from + done + row] ?? 0] ?? 0;
    const scores = network.score(data.train, order, from + done, rows);
    total += lossFunction({ scores, labels, count: rows, classes }, scoreGradient, 1 / count);
    network.addGradient(scoreGradient);
  }
  if (l2 > 0) addPenalty(network, l2);
  return total / count;
}

function addPenalty(network: Network, l2: number): void {
  for (const { weights, weightGradient } of network.layers) {
    for (let index = 0; index < weights.length; index++) {
      weightGradient[index] = (weightGradient[index] ?? 0) + l2 * (weights[index] ?? 0);
    }
  }
}

function stopIfAsked(hooks: TrainerHooks, place: string): void {
  if (hooks.shouldStop()) throw new AgentError('CANCELLED', `Stopped ${place}.`);
}

function diverged(params: TrainingParams, epoch: number, what: string): AgentError {
  const { learningRate, l2 } = params;
  return new AgentError(
    'DIVERGED',
    `Training diverged in epoch ${epoch} of ${params.epochs}: ${what}. ` +
      `Lower learning_rate (was ${learningRate})${l2 > 0 ? ` or l2 (was ${l2})` : ''}.`,
  );
}

const mostEpochs = 100;

/**
 * Passes on all reports within an epoch (at most one a second) and the ends of at most a hundred epochs, evenly spread,
 * with the first, as a curve begins there, and the last. Ten thousand epochs of iris take two seconds and would flood the listener.
 */
export function thinProgress(
  epochs: number,
  report: (progress: TrainingProgress) => void,
): (progress: TrainingProgress) => void {
  const stride = Math.ceil(epochs / mostEpochs);
  return (progress) => {
    const isEnd = progress.batch === progress.batches;
    const isShown = progress.epoch === 1 || progress.epoch % stride === 0 || progress.epoch === epochs;
    if (!isEnd || isShown) report(progress);
  };
}
