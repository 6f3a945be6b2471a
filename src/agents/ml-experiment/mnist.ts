import { join } from 'node:path';
import type { Dataset, Rows } from './dataset.js';
import { datasetNotFound, findDatasetFile, invalidDataset } from './dataset-file.js';
import { type IdxImages, readIdxImages, readIdxLabels } from './idx.js';
import type { Params } from './params.js';

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const files = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};

/**
 * Handwritten digits from the four IDX files in `<dataDir>/mnist/`, plain or `.gz`, in either spelling of their names.
 * Other image sets in the same format work too, with a warning when they are not 28 x 28.
 *
 * @throws AgentError `DATASET_NOT_FOUND`, `DATASET_INVALID`, `DATASET_UNREADABLE`
 */
export function readMnist(params: Pick<Params, 'limitTrain' | 'limitTest'>, dataDir: string): Dataset {
  const directory = join(dataDir, 'mnist');
  const paths = findFiles(directory);
  const train = readSplit(paths.trainImages, paths.trainLabels);
  const test = readSplit(paths.testImages, paths.testLabels);
  const { rows, columns } = train.images;
  if (test.images.rows !== rows || test.images.columns !== columns) {
    const shape = `${test.images.rows} x ${test.images.columns}`;
    throw invalidDataset(
      paths.testImages,
      `images of ${shape} at offset 8, but the train images are ${rows} x ${columns}`,
    );
  }
  return {
    name: 'mnist',
    classes,
    inputs: rows * columns,
    train: cut(train, params.limitTrain),
    test: cut(test, params.limitTest),
    source: directory,
    warnings: rows === 28 && columns === 28 ? [] : [`images are ${rows} x ${columns}; those of MNIST are 28 x 28`],
  };
}

interface Split {
  images: IdxImages;
  labels: Uint8Array;
}

function findFiles(directory: string): typeof files {
  const missing: string[] = [];
  const find = (name: string): string => {
    const other = name.replace('-idx', '.idx');
    const path = findDatasetFile(directory, [name, `${name}.gz`, other, `${other}.gz`]);
    if (!path) missing.push(name);
    return path ?? '';
  };
  const found = {
    trainImages: find(files.trainImages),
    trainLabels: find(files.trainLabels),
    testImages: find(files.testImages),
    testLabels: find(files.testLabels),
  };
  if (missing.length > 0) {
    throw datasetNotFound({
      title: 'MNIST',
      directory,
      names: missing,
      spellings: 'each also as .gz, and with .idx for -idx',
      sources: [
        'https://ossci-datasets.s3.amazonaws.com/mnist/',
        'https://storage.googleapis.com/cvdf-datasets/mnist/',
      ],
    });
  }
  return found;
}

function readSplit(imagesPath: string, labelsPath: string): Split {
  const images = readIdxImages(imagesPath);
  const labels = readIdxLabels(labelsPath, classes.length);
  if (labels.length !== images.count) {
    throw invalidDataset(
      labelsPath,
      `${labels.length} labels at offset 4, but ${imagesPath} has ${images.count} images`,
    );
  }
  return { images, labels };
}

function cut({ images, labels }: Split, limit = images.count): Rows {
  const count = Math.min(images.count, limit);
  const inputs = images.rows * images.columns;
  return { count, features: images.pixels.subarray(0, count * inputs), labels: labels.subarray(0, count) };
}
