import type { Connection } from './driver.js';

/** One step of the schema. Append only: a step that has shipped is never edited. */
export interface Migration {
  version: number;
  name: string;
  /** Runs inside a transaction, with references unchecked until all steps are done: a table may be rebuilt. */
  up(connection: Connection): void;
}
