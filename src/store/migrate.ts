import { RuntimeError } from '../base/errors.js';
import type { Connection } from './driver.js';
import { foundation } from './migrations/001-foundation.js';

/** One step of the schema. Append only: a step that has shipped is never edited. */
export interface Migration {
  version: number;
  name: string;
  up(connection: Connection): void;
}

export const migrations: readonly Migration[] = [foundation];

/** 'agrt' in ASCII: marks the file as ours. */
const applicationId = 0x61677274;

export interface MigrateOptions {
  file: string;
  /** Called once inside the write lock, before the first change to a database that already has rows. */
  beforeChange?: (fromVersion: number) => void;
  /** Turns a database of the earlier Python server into ours; called at version 0 if its tables are there. */
  adoptLegacy?: (connection: Connection) => void;
  steps?: readonly Migration[];
}

/**
 * Brings the schema up to date. The version is read inside the write lock, so that any number of processes may start
 * at once: the first migrates, the others find nothing to do. Throws SQLITE_BUSY for the caller to repeat.
 */
export function migrate(connection: Connection, options: MigrateOptions): void {
  const steps = options.steps ?? migrations;
  const newest = steps.at(-1)?.version ?? 0;
  if (versionOf(connection) === newest) return;
  connection.exec('begin immediate');
  try {
    const current = versionOf(connection);
    if (current > newest) throw tooNew(options.file, current, newest);
    const pending = steps.filter((step) => step.version > current);
    if (pending.length > 0 && tableExists(connection, 'goals')) options.beforeChange?.(current);
    if (current === 0 && tableExists(connection, 'goals')) setAsideLegacyTables(connection);
    for (const step of pending) step.up(connection);
    if (current === 0 && tableExists(connection, 'legacy_goals')) options.adoptLegacy?.(connection);
    connection.pragma(`user_version = ${newest}`);
    connection.pragma(`application_id = ${applicationId}`);
    connection.exec('commit');
  } catch (error) {
    if (connection.inTransaction) connection.exec('rollback');
    throw error;
  }
}

export function versionOf(connection: Connection): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

export function tableExists(connection: Connection, name: string): boolean {
  return connection.prepare("select 1 from sqlite_master where type = 'table' and name = ?").get(name) !== undefined;
}

/** Tables and indexes of the earlier server have names that ours need. */
function setAsideLegacyTables(connection: Connection): void {
  const named = connection.prepare<[], { type: string; name: string }>(
    "select type, name from sqlite_master where type in ('table', 'index') and name not like 'sqlite_%'",
  );
  connection.pragma('legacy_alter_table = on');
  for (const { type, name } of named.all()) {
    connection.exec(type === 'index' ? `drop index "${name}"` : `alter table "${name}" rename to "legacy_${name}"`);
  }
  connection.pragma('legacy_alter_table = off');
}

function tooNew(file: string, found: number, known: number): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `The database ${file} has schema version ${found}; this program knows versions up to ${known}.`,
    'Update with `npm install --global agent-runtime-mcp@latest`, or set AGENT_RUNTIME_DB_PATH to another file.',
  );
}
