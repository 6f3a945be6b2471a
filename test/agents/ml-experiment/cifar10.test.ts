import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readCifar10 } from '../../../src/agents/ml-experiment/cifar10.js';
import { cifarBytes, emptyDataDir, syntheticRows } from './synthetic.js';

const whole = { limitTrain: undefined, limitTest: undefined };
let dataDir: string;
let directory: string;

beforeEach(() => {
  ({ dataDir, directory } = emptyDataDir('cifar-10-batches-bin'));
});

const put = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, name), bytes);
const putBatches = (...parts: number[]) => {
  for (const part of parts) put(`data_batch_${part}.bin`, cifarBytes(10, part));
  put('test_batch.bin', cifarBytes(5, 6));
};

describe('valid files', () => {
  it('are read byte for byte, batch after batch, and stay bytes', () => {
    putBatches(1, 2, 3, 4, 5);
    const data = readCifar10(whole, dataDir);
    expect(data).toMatchObject({ name: 'cifar10', inputs: 3_072, source: directory, warnings: [] });
    expect(data.classes).toHaveLength(10);
    expect([data.train.count, data.train.features.length]).toEqual([50, 50 * 3_072]);
    expect(data.train.features).toBeInstanceOf(Uint8Array);
    const second = syntheticRows(10, 3_072, 0, 2);
    expect(data.train.features.slice(10 * 3_072, 20 * 3_072)).toEqual(second.features);
    expect(data.train.labels.slice(10, 20)).toEqual(second.labels);
    expect(data.test).toEqual(syntheticRows(5, 3_072, 0, 6));
  });

  it('with batches missing carry a warning', () => {
    putBatches(1, 3);
    const data = readCifar10(whole, dataDir);
    expect(data.train.count).toBe(20);
    expect(data.warnings).toEqual([
      'train batches missing: data_batch_2.bin, data_batch_4.bin, data_batch_5.bin; trained on the 20 rows of the others',
    ]);
  });

  it('are read only up to the limit, across batches', () => {
    putBatches(1, 2);
    put('data_batch_3.bin', Buffer.alloc(7));
    const data = readCifar10({ limitTrain: 15, limitTest: 2 }, dataDir);
    expect([data.train.count, data.train.labels.length, data.test.count, data.warnings]).toEqual([15, 15, 2, []]);
  });
});

describe('what is missing', () => {
  it('is named when there is no test batch', () => {
    put('data_batch_1.bin', cifarBytes(10, 1));
    expect(() => readCifar10(whole, dataDir)).toThrowError(
      expect.objectContaining({
        code: 'DATASET_NOT_FOUND',
        message:
          `CIFAR-10 is not complete in ${directory}: missing data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, ` +
          'data_batch_5.bin, test_batch.bin. Run "agent-runtime datasets fetch cifar10", or download from ' +
          'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (unpacked) into that directory, or set ' +
          'AGENT_RUNTIME_DATA_DIR to the parent of the directory with the files.',
      }),
    );
  });

  it('is named when there is no train batch', () => {
    put('test_batch.bin', cifarBytes(5, 6));
    expect(() => readCifar10(whole, dataDir)).toThrowError(expect.objectContaining({ code: 'DATASET_NOT_FOUND' }));
  });
});

describe('a file that is not what it should be is refused with its place', () => {
  const wrongLabel = cifarBytes(10, 1);
  wrongLabel[3 * 3_073] = 11;
  const cases: [string, Uint8Array, string][] = [
    [
      'half a record',
      cifarBytes(2, 1).subarray(0, 3_073 + 1_537),
      '4610 bytes are 1 records of 3073 and 1537 bytes over, expected whole records',
    ],
    ['empty', Buffer.alloc(0), '0 bytes are 0 records of 3073 and 0 bytes over, expected whole records'],
    ['label 11', wrongLabel, 'label 11 in record 3 (offset 9219), expected 0 to 9'],
  ];
  it.each(cases)('%s', (_, bytes, problem) => {
    putBatches(1);
    put('data_batch_1.bin', bytes);
    expect(() => readCifar10(whole, dataDir)).toThrowError(
      expect.objectContaining({
        code: 'DATASET_INVALID',
        message: `${join(directory, 'data_batch_1.bin')}: ${problem}. Download the file again.`,
      }),
    );
  });
});
