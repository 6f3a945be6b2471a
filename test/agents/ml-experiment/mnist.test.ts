import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readMnist } from '../../../src/agents/ml-experiment/mnist.js';
import { emptyDataDir, idxBytes, syntheticRows, writeMnist } from './synthetic.js';

const whole = { limitTrain: undefined, limitTest: undefined };
let dataDir: string;
let directory: string;

beforeEach(() => {
  ({ dataDir, directory } = emptyDataDir('mnist'));
});

const read = () => readMnist(whole, dataDir);
const put = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, name), bytes);
const failure = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('valid files', () => {
  it('are read byte for byte', () => {
    writeMnist(directory, 30, 20);
    const data = read();
    expect(data).toMatchObject({ name: 'mnist', inputs: 784, source: directory, warnings: [] });
    expect(data.train).toEqual(syntheticRows(30, 784, 0.64, 1));
    expect(data.test).toEqual(syntheticRows(20, 784, 0.64, 2));
  });

  it('may be compressed', () => {
    writeMnist(directory, 30, 20, 28, true);
    expect(read().train).toEqual(syntheticRows(30, 784, 0.64, 1));
  });

  it('may be spelled with a dot', () => {
    writeMnist(directory, 30, 20);
    for (const name of ['train-images-idx3-ubyte', 't10k-labels-idx1-ubyte']) {
      renameSync(join(directory, name), join(directory, name.replace('-idx', '.idx')));
    }
    expect(read().train.count).toBe(30);
  });

  it('are cut to the first rows by limits', () => {
    writeMnist(directory, 30, 20);
    const { train, test } = readMnist({ limitTrain: 7, limitTest: 100 }, dataDir);
    expect([train.count, train.features.length, train.labels.length, test.count]).toEqual([7, 7 * 784, 7, 20]);
  });

  it('of other sizes carry a warning', () => {
    writeMnist(directory, 30, 20, 8);
    expect(read()).toMatchObject({ inputs: 64, warnings: ['images are 8 x 8; those of MNIST are 28 x 28'] });
  });
});

describe('what is missing', () => {
  it('is named with the directory, the sources and the variable', () => {
    writeMnist(directory, 30, 20);
    rmSync(join(directory, 't10k-images-idx3-ubyte'));
    expect(failure(read)).toMatchObject({
      code: 'DATASET_NOT_FOUND',
      isTransient: false,
      message:
        `MNIST is not complete in ${directory}: missing t10k-images-idx3-ubyte ` +
        '(each also as .gz, and with .idx for -idx). Run "agent-runtime datasets fetch mnist", or download from https://ossci-datasets.s3.amazonaws.com/mnist/ or ' +
        'https://storage.googleapis.com/cvdf-datasets/mnist/ into that directory, or set AGENT_RUNTIME_DATA_DIR to ' +
        'the parent of the directory with the files.',
    });
  });

  it('is everything when there is no directory', () => {
    expect(failure(() => readMnist(whole, '/nowhere'))).toMatchObject({
      code: 'DATASET_NOT_FOUND',
      message: expect.stringContaining(
        '/nowhere/mnist: missing train-images-idx3-ubyte, train-labels-idx1-ubyte, ' +
          't10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (',
      ),
    });
  });
});

describe('a file that is not what it should be is refused with its place', () => {
  const cases: [string, string, Uint8Array, string][] = [
    [
      'cut short',
      'train-images-idx3-ubyte',
      idxBytes(0x803, [30, 28, 28], Buffer.alloc(30 * 784 - 1)),
      '23535 bytes, expected 23536 (header 16 + 30 x 28 x 28): it is cut short',
    ],
    [
      'too long',
      'train-labels-idx1-ubyte',
      idxBytes(0x801, [30], Buffer.alloc(33)),
      '41 bytes, expected 38 (header 8 + 30): it has bytes to spare',
    ],
    ['no header', 'train-images-idx3-ubyte', Buffer.alloc(5), '5 bytes are too few for the IDX header of 16'],
    ['empty', 't10k-labels-idx1-ubyte', Buffer.alloc(0), '0 bytes are too few for the IDX header of 8'],
    [
      'labels for images',
      'train-images-idx3-ubyte',
      idxBytes(0x801, [30], Buffer.alloc(30)),
      'magic 0x00000801 at offset 0, expected 0x00000803',
    ],
    [
      'wrong magic',
      't10k-labels-idx1-ubyte',
      idxBytes(0x1f8b, [30], Buffer.alloc(30)),
      'magic 0x00001f8b at offset 0, expected 0x00000801',
    ],
    [
      'a huge count',
      'train-images-idx3-ubyte',
      idxBytes(0x803, [2 ** 32 - 1, 28, 28], Buffer.alloc(784)),
      '800 bytes, expected 3367254359296 (header 16 + 4294967295 x 28 x 28): it is cut short',
    ],
    [
      'no images',
      'train-images-idx3-ubyte',
      idxBytes(0x803, [0, 28, 28], Buffer.alloc(0)),
      'size 0 at offset 4, expected at least 1',
    ],
    [
      'label 11',
      'train-labels-idx1-ubyte',
      idxBytes(0x801, [30], Buffer.alloc(30).fill(11, 13, 14)),
      'label 11 at offset 21, expected 0 to 9',
    ],
  ];
  it.each(cases)('%s', (_, name, bytes, problem) => {
    writeMnist(directory, 30, 20);
    put(name, bytes);
    expect(failure(read)).toMatchObject({
      code: 'DATASET_INVALID',
      isTransient: false,
      message: `${join(directory, name)}: ${problem}. Download the file again.`,
    });
  });

  it('as many labels as images are wanted', () => {
    writeMnist(directory, 30, 20);
    put('train-labels-idx1-ubyte', idxBytes(0x801, [29], Buffer.alloc(29)));
    const images = join(directory, 'train-images-idx3-ubyte');
    expect(failure(read)).toMatchObject({
      message: `${join(directory, 'train-labels-idx1-ubyte')}: 29 labels at offset 4, but ${images} has 30 images. Download the file again.`,
    });
  });

  it('train and test images are of one size', () => {
    writeMnist(directory, 30, 20);
    put('t10k-images-idx3-ubyte', idxBytes(0x803, [20, 8, 8], Buffer.alloc(20 * 64)));
    expect(failure(read)).toMatchObject({
      code: 'DATASET_INVALID',
      message: `${join(directory, 't10k-images-idx3-ubyte')}: images of 8 x 8 at offset 8, but the train images are 28 x 28. Download the file again.`,
    });
  });

  it('what gzip cannot unpack is unreadable', () => {
    writeMnist(directory, 30, 20, 28, true);
    put('train-images-idx3-ubyte.gz', Buffer.from('not packed at all'));
    expect(failure(read)).toMatchObject({
      code: 'DATASET_UNREADABLE',
      message: `Cannot read ${join(directory, 'train-images-idx3-ubyte.gz')}: incorrect header check.`,
    });
  });
});
