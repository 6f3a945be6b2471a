import { RuntimeError } from '../base/errors.js';

/** Runs statements that define tables; several of them in one text. */
export interface SchemaWriter {
  exec(text: string): unknown;
  /** For the few steps that the engines cannot share. */
  readonly isPostgres?: boolean;
}

/** One step of the schema. Append only: a step that has shipped is never edited. */
export interface Migration {
  version: number;
  name: string;
  /** Runs inside a transaction, with references unchecked until all steps are done: a table may be rebuilt. */
  up(schema: SchemaWriter): void;
}

export function tooNew(file: string, found: number, known: number): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `The database ${file} has schema version ${found}; this program knows versions up to ${known}.`,
    'Update with `npm install --global agent-runtime-mcp@latest`, or set AGENT_RUNTIME_DB_PATH to another file.',
  );
}

export function notOurs(file: string, tables: readonly string[]): RuntimeError {
  const named = tables.slice(0, 5).join(', ');
  return new RuntimeError(
    'unavailable',
    `The database ${file} belongs to another program${named && ` (its tables: ${named})`}; nothing was changed.`,
    'Set AGENT_RUNTIME_DB_PATH to another file.',
  );
}
