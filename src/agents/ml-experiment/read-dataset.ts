import { readCifar10 } from './cifar10.js';
import type { Dataset } from './dataset.js';
import { readIris } from './iris.js';
import { readMnist } from './mnist.js';
import type { Params } from './params.js';
import type { Random } from './random.js';

/**
 * Reads the dataset that `params` name, split and cut to its limits. Blocks while it reads: call it in the worker.
 *
 * @throws AgentError `DATASET_NOT_FOUND`, `DATASET_INVALID` or `DATASET_UNREADABLE`, naming the file
 */
export function readDataset(params: Params, dataDir: string, random: Random): Dataset {
  switch (params.dataset) {
    case 'iris':
      return readIris(params, random);
    case 'mnist':
      return readMnist(params, dataDir);
    case 'cifar10':
      return readCifar10(params, dataDir);
  }
}
