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

/** The version of a database that a move is filling: above every real one, so that no program opens it. */
export const movingVersion = 2_147_483_647;

/** For a version that this program does not know, or that stands for an unfinished move. */
export function tooNew(file: string, found: number, known: number): RuntimeError {
  if (found === movingVersion) {
    return new RuntimeError(
      'unavailable',
      `The database ${file} is being filled by \`agent-runtime migrate\`, and is not complete.`,
      'Wait until that has ended; if it was interrupted, run the same command again: it goes on.',
    );
  }
  return new RuntimeError(
    'unavailable',
    `The database ${file} has schema version ${found}; this program knows versions up to ${known}.`,
    'Update with `npm install --global agent-runtime-mcp@latest`, or set AGENT_RUNTIME_DB_PATH to another file.',
  );
}

/** For a version that came while this program had the database open: it goes on reading, and writes nothing. */
export function becameNewer(file: string, found: number, known: number): RuntimeError {
  if (found === movingVersion) return tooNew(file, found, known);
  return new RuntimeError(
    'unavailable',
    `A newer program has brought the database ${file} to schema version ${found}; this process knows versions up to ${known}, and nothing was written.`,
    'End this process (session, server or worker) and start it again; if that is of no use, update with `npm install --global agent-runtime-mcp@latest`.',
  );
}

/** The version that a program with these steps knows. */
export const newestOf = (steps: readonly Migration[]): number => steps.at(-1)?.version ?? 0;

export function notOurs(file: string, tables: readonly string[]): RuntimeError {
  const named = tables.slice(0, 5).join(', ');
  return new RuntimeError(
    'unavailable',
    `The database ${file} belongs to another program${named && ` (its tables: ${named})`}; nothing was changed.`,
    'Set AGENT_RUNTIME_DB_PATH to another file.',
  );
}
