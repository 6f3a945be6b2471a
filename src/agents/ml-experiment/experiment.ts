import type { Dataset } from './dataset.js';
import type { Params } from './params.js';
import { createRandom } from './random.js';
import { readDataset } from './read-dataset.js';
import { averageF1, type ClassScores, countConfusion, scoreClasses } from './scores.js';
import { type Epoch, type TrainerHooks, train } from './trainer.js';
import { findWarnings } from './warnings.js';

/** What an experiment needs; plain data, so that it can be sent to a worker. */
export interface ExperimentTask {
  params: Params;
  /** Where `mnist/` and `cifar-10-batches-bin/` are. */
  dataDir: string;
}

/** What came of it; plain data again. */
export interface Experiment {
  trainSize: number;
  testSize: number;
  history: Epoch[];
  test: {
    accuracy: number;
    loss: number;
    perClass: ClassScores[];
    macroF1: number;
    /** `[actual][predicted]`, in rows. */
    confusionMatrix: number[][];
  };
  source: string;
  warnings: string[];
}

/**
 * Reads the data, trains, tests and takes stock. One stream of random numbers, started by the seed, drives split,
 * first weights and shuffles, in this order. Blocks until done: run it in a worker.
 *
 * @throws AgentError of `readDataset` and `train`
 */
export function runExperiment({ params, dataDir }: ExperimentTask, hooks: TrainerHooks): Experiment {
  const random = createRandom(params.seed);
  const data: Dataset = readDataset(params, dataDir, random);
  const trained = train(data, params, random, hooks);
  const matrix = countConfusion(data.test.labels, trained.test.predictions, data.classes.length);
  const perClass = scoreClasses(matrix, data.classes);
  return {
    trainSize: data.train.count,
    testSize: data.test.count,
    history: trained.history,
    test: {
      accuracy: trained.test.accuracy,
      loss: trained.test.loss,
      perClass,
      macroF1: averageF1(matrix, perClass),
      confusionMatrix: matrix,
    },
    source: data.source,
    warnings: findWarnings(data, params, trained),
  };
}
