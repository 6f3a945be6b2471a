import { join } from 'node:path';
import type { Dataset, Rows } from './dataset.js';
import { datasetNotFound, findDatasetFile, invalidDataset, readDatasetFile } from './dataset.js';
import type { Params } from './payload.js';

const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
/** Bytes of an image: 1,024 red, then 1,024 green, then 1,024 blue, each row by row. */
const inputs = 3_072;
const recordBytes = 1 + inputs;
const trainNames = [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`);
const testName = 'test_batch.bin';

/**
 * Reads CIFAR-10 in its binary version from `<dataDir>/cifar-10-batches-bin/`: records of one label byte and 3,072
 * colour bytes (Krizhevsky, "The CIFAR-10 dataset", binary version). A file may hold any whole number of records, and
 * missing train batches are a warning. Pixels stay bytes, because the full set would take 614 MB as floats.
 *
 * @throws AgentError `DATASET_NOT_FOUND`, `DATASET_INVALID`, `DATASET_UNREADABLE`
 */
export function readCifar10(params: Pick<Params, 'limitTrain' | 'limitTest'>, dataDir: string): Dataset {
  const directory = join(dataDir, 'cifar-10-batches-bin');
  const missing = [...trainNames, testName].filter((name) => !findDatasetFile(directory, [name]));
  if (missing.includes(testName) || missing.length === trainNames.length) {
    throw datasetNotFound({
      title: 'CIFAR-10',
      name: 'cifar10',
      directory,
      names: missing,
      sources: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (unpacked)'],
    });
  }
  const train = readRecords(directory, trainNames, params.limitTrain);
  return {
    name: 'cifar10',
    classes,
    inputs,
    train: train.rows,
    test: readRecords(directory, [testName], params.limitTest).rows,
    source: directory,
    warnings:
      train.missing.length === 0
        ? []
        : [`train batches missing: ${train.missing.join(', ')}; trained on the ${train.rows.count} rows of the others`],
  };
}

/** Reads files in order up to `limit` records; `missing` names the files that were needed and do not exist. */
function readRecords(
  directory: string,
  names: string[],
  limit = Number.POSITIVE_INFINITY,
): { rows: Rows; missing: string[] } {
  const parts: Uint8Array[] = [];
  const missing: string[] = [];
  let count = 0;
  for (const name of names) {
    if (count >= limit) break;
    const path = findDatasetFile(directory, [name]);
    if (!path) {
      missing.push(name);
      continue;
    }
    const part = readCheckedFile(path).subarray(0, (limit - count) * recordBytes);
    parts.push(part);
    count += part.length / recordBytes;
  }
  const features = new Uint8Array(count * inputs);
  const labels = new Uint8Array(count);
  let row = 0;
  for (const part of parts) {
    for (let offset = 0; offset < part.length; offset += recordBytes, row++) {
      labels[row] = part[offset] ?? 0;
      features.set(part.subarray(offset + 1, offset + recordBytes), row * inputs);
    }
  }
  return { rows: { count, features, labels }, missing };
}

function readCheckedFile(path: string): Uint8Array {
  const bytes = readDatasetFile(path);
  const rest = bytes.length % recordBytes;
  if (bytes.length === 0 || rest !== 0) {
    const records = (bytes.length - rest) / recordBytes;
    throw invalidDataset(
      path,
      `${bytes.length} bytes are ${records} records of ${recordBytes} and ${rest} bytes over, expected whole records`,
    );
  }
  for (let offset = 0; offset < bytes.length; offset += recordBytes) {
    const label = bytes[offset] ?? 0;
    if (label < classes.length) continue;
    const place = `record ${offset / recordBytes} (offset ${offset})`;
    throw invalidDataset(path, `label ${label} in ${place}, expected 0 to ${classes.length - 1}`);
  }
  return bytes;
}
