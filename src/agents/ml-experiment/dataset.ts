import { readCifar10 } from './cifar10.js';
import { readIris } from './iris.js';
import { readMnist } from './mnist.js';
import type { DatasetName, Params } from './params.js';
import type { Random } from './random.js';

/** Examples of one split. */
export interface Rows {
  count: number;
  /** `count * inputs` values, row by row: bytes 0 to 255 of images (the batch divides them by 255), or standardised numbers. */
  features: Uint8Array | Float64Array;
  /** `count` indexes into the dataset's `classes`. */
  labels: Uint8Array;
}

export interface Dataset {
  name: DatasetName;
  classes: string[];
  /** Features a row. */
  inputs: number;
  train: Rows;
  test: Rows;
  /** Where the rows came from, for the reader of the result. */
  source: string;
  warnings: string[];
}

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
