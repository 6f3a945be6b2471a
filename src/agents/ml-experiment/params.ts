import type { ExperimentPayload } from './payload.js';

export type ModelName = ExperimentPayload['model'];
export type DatasetName = ExperimentPayload['dataset'];
export type OptimizerName = ExperimentPayload['optimizer'];

/** A payload with every default filled in. */
export interface Params {
  model: ModelName;
  dataset: DatasetName;
  epochs: number;
  learningRate: number;
  batchSize: number;
  seed: number;
  optimizer: OptimizerName;
  /** Units of the hidden layer; undefined unless the model is neural. */
  hidden: number | undefined;
  /** Penalty of `l2 / 2` times the sum of squared weights; biases are free. */
  l2: number;
  /** Share of each class held out; undefined where the dataset has its own test rows. */
  testFraction: number | undefined;
  limitTrain: number | undefined;
  limitTest: number | undefined;
  /** What the submitter left open, as `name value`. */
  defaultsUsed: string[];
}

const datasetDefaults = {
  iris: { epochs: 100, learningRate: 0.01, batchSize: 16, hidden: 16 },
  mnist: { epochs: 5, learningRate: 0.001, batchSize: 32, hidden: 64 },
  cifar10: { epochs: 5, learningRate: 0.001, batchSize: 32, hidden: 128 },
} as const;

const irisTestFraction = 0.2;
const svmPenalty = 0.001;

/** Fills in what depends on the dataset and the model, and notes it in `defaultsUsed`. */
export function resolveParams(payload: ExperimentPayload): Params {
  const defaults = datasetDefaults[payload.dataset];
  const defaultsUsed: string[] = [];
  const choose = (name: string, given: number | undefined, otherwise: number): number => {
    if (given === undefined) defaultsUsed.push(`${name} ${otherwise}`);
    return given ?? otherwise;
  };
  return {
    model: payload.model,
    dataset: payload.dataset,
    epochs: choose('epochs', payload.epochs, defaults.epochs),
    learningRate: choose('learning_rate', payload.learning_rate, defaults.learningRate),
    batchSize: choose('batch_size', payload.batch_size, defaults.batchSize),
    seed: payload.seed,
    optimizer: payload.optimizer,
    hidden: payload.model === 'neural' ? choose('hidden', payload.hidden, defaults.hidden) : undefined,
    l2: payload.model === 'svm' ? choose('l2', payload.l2, svmPenalty) : (payload.l2 ?? 0),
    testFraction: payload.dataset === 'iris' ? (payload.test_fraction ?? irisTestFraction) : undefined,
    limitTrain: payload.limit_train,
    limitTest: payload.limit_test,
    defaultsUsed,
  };
}
