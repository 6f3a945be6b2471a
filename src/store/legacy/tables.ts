import type { Connection } from '../driver.js';
import { columnNames, tableNames } from '../schema.js';

/** The tables of the earlier Python server, each with the columns that it is known by. */
const legacyTables = {
  goals: ['id', 'name', 'description'],
  tasks: ['id', 'title', 'dependencies'],
  task_queue: ['task_id', 'queue_position'],
  relay_pipelines: ['pipeline_id', 'agents_json'],
  relay_results: ['pipeline_id', 'step_index', 'quality_score'],
  relay_batons: ['baton_id', 'baton_json'],
  circuit_breakers: ['agent_id', 'cooldown_until'],
  circuit_failures: ['failure_id', 'agent_id'],
  circuit_events: ['event_id', 'agent_id'],
};
export type LegacyTable = keyof typeof legacyTables;

/** What a column holds is what it was given, whatever its declared type; a column of a later version may be missing. */
export type LegacyRow = Record<string, unknown>;

export interface LegacyTables {
  /** The rows in the order in which they were written; none if the table is not there. */
  rowsOf(table: LegacyTable): LegacyRow[];
  /** The highest id that was ever given, where ids were counted. */
  lastIdOf(table: LegacyTable): number | undefined;
  /** Drops what was adopted, and gives tables that the earlier server knows nothing of their names back. */
  putAway(): void;
}

/** Whether these are tables of the earlier server: at least one by name, and all of these by their columns. */
export function isLegacy(connection: Connection): boolean {
  const found = tableNames(connection).filter(isLegacyTable);
  return found.length > 0 && found.every((table) => hasColumns(connection, table));
}

/** Renames every table to `legacy_*`, so that ours can have their names. */
export function setAsideLegacy(connection: Connection): LegacyTables {
  const names = tableNames(connection);
  rename(connection, names, (name) => [name, asideName(name)]);
  const adopted = names.filter(isLegacyTable);
  return {
    rowsOf: (table) =>
      adopted.includes(table)
        ? connection.prepare<[], LegacyRow>(`select * from "${asideName(table)}" order by rowid`).all()
        : [],
    lastIdOf: (table) =>
      connection
        .prepare<[string], number>('select seq from sqlite_sequence where name = ?')
        .pluck()
        .get(asideName(table)),
    putAway() {
      for (const table of adopted) connection.exec(`drop table "${asideName(table)}"`);
      const taken = new Set(tableNames(connection));
      const others = names.filter((name) => !isLegacyTable(name) && !taken.has(name));
      rename(connection, others, (name) => [asideName(name), name]);
    },
  };
}

const asideName = (table: string) => `legacy_${table}`;

function isLegacyTable(name: string): name is LegacyTable {
  return name in legacyTables;
}

function hasColumns(connection: Connection, table: LegacyTable): boolean {
  const columns = columnNames(connection, table);
  return legacyTables[table].every((column) => columns.includes(column));
}

/** As SQLite once did it: references and views go on naming what they named, which our tables take the place of. */
function rename(connection: Connection, names: readonly string[], fromTo: (name: string) => [string, string]): void {
  connection.pragma('legacy_alter_table = on');
  for (const name of names) {
    const [from, to] = fromTo(name);
    connection.exec(`alter table "${from}" rename to "${to}"`);
  }
  connection.pragma('legacy_alter_table = off');
}
