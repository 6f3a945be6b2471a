import { join } from 'node:path';
import {
  type Dataset,
  datasetNotFound,
  findDatasetFile,
  invalidDataset,
  type Rows,
  readDatasetFile,
} from './dataset.js';
import type { Params } from './payload.js';

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const files = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};

/**
 * Reads MNIST from the four IDX files in `<dataDir>/mnist/`, plain or `.gz`, in either spelling of their names. Other
 * image sets in the same format work too, with a warning when their images are not 28 x 28.
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
      name: 'mnist',
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

/** Images of one IDX file: `count * rows * columns` bytes, image by image, row by row. */
export interface IdxImages {
  count: number;
  rows: number;
  columns: number;
  pixels: Uint8Array;
}

const imagesMagic = 0x803;
const labelsMagic = 0x801;

/**
 * Reads an IDX3 file of unsigned bytes: big-endian magic 0x803, count, rows, columns, then the pixels
 * (LeCun, Cortes, Burges, "The MNIST database", file formats). Offsets in messages count unpacked bytes.
 *
 * @throws AgentError `DATASET_INVALID`, `DATASET_UNREADABLE`
 */
export function readIdxImages(path: string): IdxImages {
  const { sizes, body } = readIdx(path, imagesMagic, 3);
  const [count = 0, rows = 0, columns = 0] = sizes;
  return { count, rows, columns, pixels: body };
}

/**
 * Reads an IDX1 file of class numbers, each below `classes`.
 *
 * @throws AgentError `DATASET_INVALID`, `DATASET_UNREADABLE`
 */
export function readIdxLabels(path: string, classes: number): Uint8Array {
  const { body } = readIdx(path, labelsMagic, 1);
  const wrong = body.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw invalidDataset(path, `label ${body[wrong]} at offset ${8 + wrong}, expected 0 to ${classes - 1}`);
  }
  return body;
}

function readIdx(path: string, magic: number, dimensions: number): { sizes: number[]; body: Uint8Array } {
  const bytes = readDatasetFile(path);
  const header = 4 + 4 * dimensions;
  if (bytes.length < header) {
    throw invalidDataset(path, `${bytes.length} bytes are too few for the IDX header of ${header}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  if (view.getUint32(0) !== magic) {
    throw invalidDataset(path, `magic ${toHex(view.getUint32(0))} at offset 0, expected ${toHex(magic)}`);
  }
  const sizes = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index));
  if (sizes.includes(0)) {
    throw invalidDataset(path, `size 0 at offset ${4 + 4 * sizes.indexOf(0)}, expected at least 1`);
  }
  const expected = sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== header + expected) {
    const state = bytes.length < header + expected ? 'it is cut short' : 'it has bytes to spare';
    throw invalidDataset(
      path,
      `${bytes.length} bytes, expected ${header + expected} (header ${header} + ${sizes.join(' x ')}): ${state}`,
    );
  }
  return { sizes, body: bytes.subarray(header) };
}

const toHex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`;
