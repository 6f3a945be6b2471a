import type { Connection } from '../connection.js';
import { adoptGoals, adoptTasks } from './board.js';
import { adoptBreakerEvents, adoptBreakerFailures, adoptBreakers } from './breakers.js';
import { inserter, textOf } from './read.js';
import { adoptRelayBatons, adoptRelayResults, adoptRelays } from './relay.js';
import type { LegacyRow, LegacyTable, LegacyTables } from './tables.js';

export { isLegacy, setAsideLegacy } from './tables.js';

/**
 * Copies every row of a database of the earlier Python server, with ids, times and metadata, and drops its tables. Runs
 * inside the migration's transaction.
 */
export function adoptLegacy(connection: Connection, earlier: LegacyTables, now: number): void {
  adoptGoals(connection, earlier.rowsOf('goals'), now);
  adoptTasks(connection, earlier.rowsOf('tasks'), now);
  adoptRelays(connection, earlier.rowsOf('relay_pipelines'), now);
  adoptRelayResults(connection, ofPipelines('relay_results'), now);
  adoptRelayBatons(connection, ofPipelines('relay_batons'), now);
  adoptBreakers(connection, earlier.rowsOf('circuit_breakers'), now);
  adoptBreakerFailures(connection, ofBreakers('circuit_failures'), now);
  adoptBreakerEvents(connection, earlier.rowsOf('circuit_events'), now);
  for (const table of ['goals', 'tasks', 'relay_results'] as const) keepSequence(connection, table, earlier);
  earlier.dropAdopted();

  function ofPipelines(table: LegacyTable): LegacyRow[] {
    return withOwner(table, 'pipeline_id', 'relay_pipelines', 'relay');
  }

  function ofBreakers(table: LegacyTable): LegacyRow[] {
    return withOwner(table, 'agent_id', 'breakers', 'breaker');
  }

  /** The earlier server did not enforce references: a row whose owner is missing is kept as an event. */
  function withOwner(table: LegacyTable, column: string, ownerTable: string, subject: string): LegacyRow[] {
    const owners = new Set(connection.prepare(`select id from ${ownerTable}`).pluck().all());
    const note = inserter(connection, 'events');
    return earlier.rowsOf(table).filter((row) => {
      if (owners.has(row[column])) return true;
      const subjectId = textOf(row[column]) ?? '';
      note({ at: now, subject, subject_id: subjectId, type: 'orphan_adopted', data: JSON.stringify({ table, row }) });
      return false;
    });
  }
}

/** Ids of the earlier server are not used again, even those of deleted rows. */
function keepSequence(connection: Connection, table: LegacyTable, earlier: LegacyTables): void {
  const lastId = earlier.lastIdOf(table);
  if (lastId === undefined) return;
  connection.prepare('delete from sqlite_sequence where name = ?').run(table);
  connection.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, lastId);
}
