import { invalidDataset, readDatasetFile } from './dataset-file.js';

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
