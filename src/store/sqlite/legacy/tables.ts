import type { Connection } from '../connection.js';
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

/** Values may have any type, whatever the column declares, and columns of later versions may be missing. */
export type LegacyRow = Record<string, unknown>;

export interface LegacyTables {
  /** The rows in the order of writing; none if there is no such table. */
  rowsOf(table: LegacyTable): LegacyRow[];
  /** The highest id ever used, of tables with `autoincrement`. */
  lastIdOf(table: LegacyTable): number | undefined;
  /** Drops the adopted tables, and gives tables of other programs their names back. */
  dropAdopted(): void;
}

/** Whether the tables are the earlier server's: at least one has such a name, and all of those have its columns. */
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
    dropAdopted() {
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

/** Renames as old versions of SQLite did: references and views keep the old names, which our tables get. */
function rename(connection: Connection, names: readonly string[], fromTo: (name: string) => [string, string]): void {
  connection.pragma('legacy_alter_table = on');
  for (const name of names) {
    const [from, to] = fromTo(name);
    connection.exec(`alter table "${from}" rename to "${to}"`);
  }
  connection.pragma('legacy_alter_table = off');
}
