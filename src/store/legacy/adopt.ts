import type { Connection } from '../driver.js';
import { tableExists } from '../migrate.js';
import { adoptGoals, adoptTasks } from './board.js';
import { adoptBreakerEvents, adoptBreakerFailures, adoptBreakers } from './breakers.js';
import { adoptRelayBatons, adoptRelayResults, adoptRelays } from './relay.js';

/**
 * Takes over every row of a database of the earlier Python server (its tables are renamed `legacy_*` by now), with
 * ids, times and metadata, and drops its tables. Runs inside the migration's transaction: all of it or none.
 */
export function adoptLegacy(connection: Connection, now: number): void {
  const from = <Row>(table: string): Row[] =>
    tableExists(connection, `legacy_${table}`)
      ? connection.prepare<[], Row>(`select * from "legacy_${table}"`).all()
      : [];

  adoptGoals(connection, from('goals'), now);
  adoptTasks(connection, from('tasks'), now);
  adoptRelays(connection, from('relay_pipelines'), now);
  adoptRelayResults(connection, from('relay_results'), now);
  adoptRelayBatons(connection, from('relay_batons'), now);
  adoptBreakers(connection, from('circuit_breakers'), now);
  adoptBreakerFailures(connection, from('circuit_failures'), now);
  adoptBreakerEvents(connection, from('circuit_events'), now);
  keepSequences(connection);
  dropLegacyTables(connection);
}

/** Ids that the earlier server gave are never given again, even those of deleted rows. */
function keepSequences(connection: Connection): void {
  const rows = connection
    .prepare<[], { name: string; seq: number }>("select name, seq from sqlite_sequence where name like 'legacy_%'")
    .all();
  for (const { name, seq } of rows) {
    const table = name.slice('legacy_'.length);
    if (!['goals', 'tasks', 'relay_results'].includes(table)) continue;
    connection.prepare('delete from sqlite_sequence where name = ?').run(table);
    connection.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, seq);
  }
}

function dropLegacyTables(connection: Connection): void {
  connection.pragma('defer_foreign_keys = on');
  const tables = connection
    .prepare<[], string>("select name from sqlite_master where type = 'table' and name like 'legacy\\_%' escape '\\'")
    .pluck()
    .all();
  // Children first, so that no reference is left hanging on the way.
  const order = (name: string) =>
    /(queue|results|batons|failures|events)$/.test(name) ? 0 : name === 'legacy_tasks' ? 1 : 2;
  for (const table of tables.sort((a, b) => order(a) - order(b))) connection.exec(`drop table "${table}"`);
}
