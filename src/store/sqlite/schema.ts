import type { Connection } from './connection.js';

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
