import { RuntimeError } from '../base/errors.js';
import type { Connection } from './connection.js';

/** One step of the schema. Append only: a step that has shipped is never edited. */
export interface Migration {
  version: number;
  name: string;
  /** Runs inside a transaction, with references unchecked until all steps are done: a table may be rebuilt. */
  up(connection: Connection): void;
}

/** 'agrt' in ASCII: marks a file as ours. */
const applicationId = 0x61677274;

export function versionOf(connection: Connection): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

/** Marks the database as ours, with this version of the schema. */
export function markVersion(connection: Connection, version: number): void {
  connection.pragma(`user_version = ${version}`);
  connection.pragma(`application_id = ${applicationId}`);
}

/** Whose application id the file has, if any. */
export function ownerOf(connection: Connection): 'us' | 'another' | undefined {
  const mark = connection.pragma('application_id', { simple: true });
  if (mark === applicationId) return 'us';
  return mark === 0 ? undefined : 'another';
}

/** The tables of the database, without SQLite's own. */
export function tableNames(connection: Connection): string[] {
  return connection
    .prepare<[], string>(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'",
    )
    .pluck()
    .all();
}

export function columnNames(connection: Connection, table: string): string[] {
  return connection.prepare<[string], string>('select name from pragma_table_info(?)').pluck().all(table);
}

/** How many references to missing rows each table has; tables without any are left out. */
export function brokenReferences(connection: Connection): Map<string, number> {
  const rows = connection
    .prepare<[], { table: string; count: number }>(
      'select "table", count(*) as count from pragma_foreign_key_check group by "table"',
    )
    .all();
  return new Map(rows.map(({ table, count }) => [table, count]));
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
