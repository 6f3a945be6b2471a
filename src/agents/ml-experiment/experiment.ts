import { AgentError } from '../define-agent.js';
import { readCifar10 } from './cifar10.js';
import type { Dataset } from './dataset.js';
import { buildConfusionMatrix, type ClassScores, macroF1, scoreClasses } from './evaluation.js';
import { readIris } from './iris.js';
import { readMnist } from './mnist.js';
import type { Network } from './network.js';
import { unsuitable } from './own-datasets.js';
import { readOwn } from './own-table.js';
import type { Params } from './payload.js';
import { createRandom, type Random } from './random.js';
import { type RegressionScores, scoreRegression } from './regression.js';
import { type Epoch, type Trained, type TrainerHooks, train } from './trainer.js';

/** The input of an experiment; plain data, so that it can be sent to a worker. */
export interface ExperimentTask {
  params: Params;
  /** Where `mnist/`, `cifar-10-batches-bin/` and the imported `datasets/` are. */
  dataDir: string;
}

/** The state after the last whole epoch of a training that was stopped; plain data. */
export interface PartialExperiment {
  trainSize: number;
  testSize: number;
  history: Epoch[];
  source: string;
  /** The network then: all weights and biases, layer after layer, each layer's weights input by input. */
  checkpoint: {
    classes: string[];
    inputs: number;
    hidden: number | undefined;
    parameters: Float32Array | Float64Array;
  };
}

export interface ExperimentHooks extends Omit<TrainerHooks, 'onEpoch'> {
  /** Called after each epoch; the state is read at once or not at all. */
  onEpoch?(read: () => PartialExperiment): void;
}

/** The outcome of an experiment; plain data too. */
export interface Experiment {
  trainSize: number;
  testSize: number;
  history: Epoch[];
  test: ClassificationTest | RegressionTest;
  source: string;
  warnings: string[];
}

export interface ClassificationTest {
  task: 'classification';
  accuracy: number;
  loss: number;
  perClass: ClassScores[];
  macroF1: number;
  /** `[actual][predicted]`, in rows. */
  confusionMatrix: number[][];
}

export interface RegressionTest extends RegressionScores {
  task: 'regression';
  loss: number;
}

/**
 * Reads the data, trains, tests and computes the scores. One stream of random numbers, started by the seed, drives the
 * split, the first weights and the shuffles, in this order. Blocks until done, so run it in a worker.
 *
 * @throws AgentError of `readDataset` and `train`; `MODEL_UNSUITABLE` for an svm and a numeric target
 */
export function runExperiment({ params, dataDir }: ExperimentTask, hooks: ExperimentHooks): Experiment {
  const random = createRandom(params.seed);
  const data: Dataset = readDataset(params, dataDir, random);
  if (data.target && params.model === 'svm') {
    throw new AgentError('MODEL_UNSUITABLE', unsuitable(params.dataset, data.target.name));
  }
  const stateOf = (history: readonly Epoch[], { parameters }: Network): PartialExperiment => ({
    trainSize: data.train.count,
    testSize: data.test.count,
    history: [...history],
    source: data.source,
    checkpoint: { classes: data.classes, inputs: data.inputs, hidden: params.hidden, parameters: parameters.slice() },
  });
  const trained = train(data, params, random, {
    ...hooks,
    onEpoch: (history, network) => hooks.onEpoch?.(() => stateOf(history, network)),
  });
  return {
    trainSize: data.train.count,
    testSize: data.test.count,
    history: trained.history,
    test: data.target ? scoreValues(data, trained) : scoreLabels(data, trained),
    source: data.source,
    warnings: findWarnings(data, params, trained),
  };
}

function scoreLabels(data: Dataset, { test }: Trained): ClassificationTest {
  const matrix = buildConfusionMatrix(data.test.labels, test.predictions, data.classes.length);
  const perClass = scoreClasses(matrix, data.classes);
  const { accuracy, loss } = test;
  return {
    task: 'classification',
    accuracy,
    loss,
    perClass,
    macroF1: macroF1(matrix, perClass),
    confusionMatrix: matrix,
  };
}

function scoreValues(data: Dataset, { test }: Trained): RegressionTest {
  return { task: 'regression', loss: test.loss, ...scoreRegression(data, test.predictions) };
}

/**
 * Reads the dataset that `params` name, split and cut to its limits. Blocks while it reads, so call it in the worker.
 *
 * @throws AgentError `DATASET_NOT_FOUND`, `DATASET_INVALID`, `DATASET_UNREADABLE` or `DATASET_CHANGED`, naming the file
 */
export function readDataset(params: Params, dataDir: string, random: Random): Dataset {
  switch (params.dataset) {
    case 'iris':
      return readIris(params, random);
    case 'mnist':
      return readMnist(params, dataDir);
    case 'cifar10':
      return readCifar10(params, dataDir);
    default: {
      const { testFraction = 0.2, limitTrain, limitTest } = params;
      return readOwn(dataDir, params.dataset, { testFraction, limitTrain, limitTest }, random);
    }
  }
}

/** A loss that ends above its best by this factor and by this amount has risen, not just fluctuated. */
const riseShare = 1.1;
const riseAmount = 0.01;
/** If more than this share of the whole fall came in the second half, the loss has not converged; a straight line has 0.5. */
const lateShare = 1 / 3;
/** A fall by this share of the loss per epoch, on average over the last quarter, is still quick. */
const quickShare = 0.02;

/** Sentences that a reader of the figures should know before trusting them. */
export function findWarnings(data: Dataset, params: Params, trained: Trained): string[] {
  return [
    ...data.warnings,
    ...warnOfDefaults(params),
    ...warnOfSizes(data, params),
    ...warnOfLoss(params, trained),
    ...warnOfGuessing(data, trained),
  ];
}

function warnOfDefaults({ defaultsUsed }: Params): string[] {
  return defaultsUsed.length === 0 ? [] : [`defaults used: ${defaultsUsed.join(', ')}`];
}

function warnOfSizes({ classes, train, test }: Dataset, { batchSize }: Params): string[] {
  const warnings: string[] = [];
  const absent = (labels: Dataset['train']['labels']) => classes.filter((_, index) => !labels.includes(index));
  const untrained = absent(train.labels);
  const untested = absent(test.labels);
  if (untrained.length > 0) warnings.push(`classes without a train row: ${untrained.join(', ')}`);
  if (untested.length > 0) warnings.push(`classes without a test row: ${untested.join(', ')}`);
  if (batchSize > train.count) {
    warnings.push(`batch_size ${batchSize} is more than the ${train.count} train rows: each epoch is a single step`);
  }
  return warnings;
}

function warnOfLoss({ epochs, learningRate }: Params, { history }: Trained): string[] {
  if (learningRate === 0) return ['learning_rate 0: nothing was learnt, the figures are those of random first weights'];
  const losses = history.map(({ loss }) => loss);
  const first = losses[0] ?? 0;
  const last = losses.at(-1) ?? 0;
  const best = Math.min(...losses);
  if (last > best * riseShare && last > best + riseAmount) {
    return [
      `training loss ended at ${last.toPrecision(3)}, above its best of ${best.toPrecision(3)} in epoch ` +
        `${losses.indexOf(best) + 1}: learning_rate ${learningRate} may be too high`,
    ];
  }
  if (epochs === 1) return ['one epoch cannot show whether the training loss has settled'];
  const quarter = Math.max(1, Math.floor(losses.length / 4));
  const isQuick = (losses.at(-1 - quarter) ?? 0) - last > quickShare * quarter * last;
  const middle = losses[Math.floor((losses.length - 1) / 2)] ?? 0;
  const isStraight = losses.length >= 4 && last < first && middle - last > lateShare * (first - last);
  return isQuick || isStraight ? [`training loss still falling: ${epochs} epochs at ${learningRate} are few`] : [];
}

function warnOfGuessing(data: Dataset, trained: Trained): string[] {
  const { classes, test, target } = data;
  if (target) return warnOfMean(data, trained, target.name);
  const sizes = classes.map((_, index) => countOf(test.labels, index));
  const commonest = Math.max(...sizes) / test.count;
  const { accuracy } = trained.test;
  if (accuracy > commonest) return [];
  return [
    `test accuracy ${accuracy.toFixed(3)} is no better than always naming the commonest class (${commonest.toFixed(3)})`,
  ];
}

function warnOfMean(data: Dataset, { test }: Trained, target: string): string[] {
  const { r2 } = scoreRegression(data, test.predictions);
  if (r2 !== null && r2 > 0) return [];
  return [`test r2 is ${r2?.toFixed(3) ?? 'undefined'}: no better than always naming the mean of ${target}`];
}

function countOf(labels: Dataset['train']['labels'], label: number): number {
  let count = 0;
  for (const one of labels) if (one === label) count++;
  return count;
}
