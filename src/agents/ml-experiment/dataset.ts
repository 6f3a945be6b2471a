import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf } from '../../base/errors.js';
import { AgentError } from '../define-agent.js';

/** The examples of one split. */
export interface Rows {
  count: number;
  /** `count * inputs` values, row by row: image bytes from 0 to 255 (a batch divides them by 255), or standardised numbers. */
  features: Uint8Array | Float64Array;
  /** `count` indexes into the dataset's `classes`, or, as Float64Array, values of its `target` in standard units. */
  labels: Uint8Array | Float64Array;
}

export interface Dataset {
  name: string;
  /** Empty where the target is a number. */
  classes: string[];
  /** A numeric target: its name, and the mean and deviation of the train rows, which standardise it. */
  target?: { name: string; mean: number; deviation: number };
  /** Features per row. */
  inputs: number;
  train: Rows;
  test: Rows;
  /** Where the rows come from, for the reader of the result. */
  source: string;
  warnings: string[];
}

/** Ten times the largest real file; a compressed file that unpacks to more is not a dataset. */
const maxUnpackedBytes = 512 * 1024 * 1024;

/** The first of `names` that exists in `directory`, as a path. */
export function findDatasetFile(directory: string, names: string[]): string | undefined {
  return names.map((name) => join(directory, name)).find((path) => existsSync(path));
}

/**
 * The bytes of a file, unpacked when it ends in `.gz`.
 *
 * @throws AgentError `DATASET_UNREADABLE` when the system or gzip refuses
 */
export function readDatasetFile(path: string): Uint8Array {
  try {
    const bytes = readFileSync(path);
    const content = path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: maxUnpackedBytes }) : bytes;
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new AgentError('DATASET_UNREADABLE', `Cannot read ${path}: ${reason}.`, false, { cause });
  }
}

/** The error for a file with invalid content; `problem` says where and what, and completes the sentence. */
export function invalidDataset(path: string, problem: string): AgentError {
  return new AgentError('DATASET_INVALID', `${path}: ${problem}. Download the file again.`);
}

/** The error for missing files: their names, the directory, where to download them, and how to use another directory. */
export function datasetNotFound(missing: {
  title: string;
  directory: string;
  names: string[];
  spellings?: string;
  /** Its name for `datasets fetch`. */
  name: string;
  sources: string[];
}): AgentError {
  const names = `${missing.names.join(', ')}${missing.spellings ? ` (${missing.spellings})` : ''}`;
  return new AgentError(
    'DATASET_NOT_FOUND',
    `${missing.title} is not complete in ${missing.directory}: missing ${names}. ` +
      `Run "agent-runtime datasets fetch ${missing.name}", or download from ${missing.sources.join(' or ')} into that directory, ` +
      'or set AGENT_RUNTIME_DATA_DIR to the parent of the directory with the files.',
  );
}
