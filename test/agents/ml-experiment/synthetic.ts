import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Dataset, Rows } from '../../../src/agents/ml-experiment/dataset.js';
import { createRandom } from '../../../src/agents/ml-experiment/random.js';
import { tempDir } from '../../support/temp-dir.js';

/** A data directory with an empty `folder` in it, removed when the test ends. */
export function emptyDataDir(folder: string): { dataDir: string; directory: string } {
  const dataDir = tempDir();
  const directory = join(dataDir, folder);
  mkdirSync(directory);
  return { dataDir, directory };
}

/**
 * Rows shaped like images, that can be learnt: ten classes in turn, noise of which a share is zero, and brighter
 * pixels where the column's last digit is the class.
 */
export function syntheticRows(count: number, inputs: number, zeroShare: number, seed: number): Rows {
  const random = createRandom(seed);
  const features = new Uint8Array(count * inputs);
  const labels = Uint8Array.from({ length: count }, (_, row) => row % 10);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < inputs; column++) {
      const bright = column % 10 === row % 10 ? 120 : 0;
      features[row * inputs + column] = random() < zeroShare ? 0 : 1 + Math.floor(random() * 120) + bright;
    }
  }
  return { count, features, labels };
}

export function syntheticImages(trainCount: number, inputs: number, zeroShare = 0.64): Dataset {
  return {
    name: 'mnist',
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    inputs,
    train: syntheticRows(trainCount, inputs, zeroShare, 1),
    test: syntheticRows(200, inputs, zeroShare, 2),
    source: 'synthetic',
    warnings: [],
  };
}

/** An IDX file: magic, sizes, bytes. */
export function idxBytes(magic: number, sizes: number[], body: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(magic, 0);
  sizes.forEach((size, index) => {
    header.writeUInt32BE(size, 4 + 4 * index);
  });
  return Buffer.concat([header, body]);
}

/** Writes the four files of MNIST into `directory`, with `side` x `side` images. */
export function writeMnist(
  directory: string,
  trainCount: number,
  testCount: number,
  side = 28,
  isPacked = false,
): void {
  const write = (name: string, bytes: Buffer) =>
    writeFileSync(join(directory, isPacked ? `${name}.gz` : name), isPacked ? gzipSync(bytes) : bytes);
  for (const [prefix, count, seed] of [
    ['train', trainCount, 1],
    ['t10k', testCount, 2],
  ] as const) {
    const { features, labels } = syntheticRows(count, side * side, 0.64, seed);
    write(`${prefix}-images-idx3-ubyte`, idxBytes(0x803, [count, side, side], Uint8Array.from(features)));
    write(`${prefix}-labels-idx1-ubyte`, idxBytes(0x801, [count], Uint8Array.from(labels)));
  }
}

/** One CIFAR-10 file with `count` records. */
export function cifarBytes(count: number, seed: number): Buffer {
  const { features, labels } = syntheticRows(count, 3_072, 0, seed);
  return Buffer.concat(
    [...labels].flatMap((label, row) => [
      Uint8Array.of(label),
      Uint8Array.from(features.subarray(row * 3_072, (row + 1) * 3_072)),
    ]),
  );
}
