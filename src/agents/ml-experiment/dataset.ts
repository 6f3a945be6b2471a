import type { DatasetName } from './params.js';

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
