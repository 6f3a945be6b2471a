import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../base/config.js';
import { reportError } from '../../base/errors.js';
import type { Sql, Value } from '../../store/sql.js';
import { newestBackup } from '../../store/sqlite/backup.js';
import type { Connection } from '../../store/sqlite/connection.js';
import type { Driver } from '../../store/sqlite/driver.js';
import { findLockHolder } from '../../store/sqlite/lock-holder.js';
import { isUpToDate } from '../../store/sqlite/migrate.js';
import { openReadOnly } from '../../store/sqlite/open-read-only.js';
import { tableNames, versionOf } from '../../store/sqlite/schema.js';
import { continueStopped, explain } from '../../store/sqlite/sqlite-errors.js';
import { explainWalDamage, findWalDamage } from '../../store/sqlite/wal-damage.js';
import { type Check, checksOf } from './check.js';
import { isWritable, statOrUndefined } from './check-directories.js';
import { checkPostgres } from './check-postgres.js';
import { checkProcesses, type OpenRows, readOpenRows } from './check-processes.js';

const { ok, warn, fail } = checksOf('Database');

/** Checks the database file, or the one on a server, as it is. The checks neither create nor change it. */
export async function checkDatabase(config: Config, driver: Driver | undefined): Promise<Check[]> {
  const { dbPath, dbUrl } = config;
  if (dbUrl !== undefined) return [...(await checkPostgres(dbUrl)), checkBackup(config, '.dump')];
  const found = statOrUndefined(dbPath);
  if (!found) return [ok('file', `${dbPath} will be created on first use`), checkBackup(config)];
  if (!found.isFile()) {
    return [fail('file', `${dbPath} is not a file`, 'Set AGENT_RUNTIME_DB_PATH to a file.'), checkBackup(config)];
  }
  return [
    checkFile(dbPath, found.size),
    ...checkModes(dbPath),
    checkBackup(config),
    ...(await checkWal(dbPath)),
    ...(driver ? await checkInside(dbPath, driver) : []),
  ];
}

function checkFile(path: string, size: number): Check {
  const walSize = statOrUndefined(`${path}-wal`)?.size ?? 0;
  const detail = `${path}, ${sizeWords(size)}${walSize > 0 ? ` and ${sizeWords(walSize)} in its write-ahead log` : ''}`;
  return isWritable(path)
    ? ok('file', detail)
    : fail('file', `${path} cannot be written to`, `Run: chmod u+w "${path}", or set AGENT_RUNTIME_DB_PATH.`);
}

/** SQLite leaves out what follows the damage, and says nothing. */
async function checkWal(path: string): Promise<Check[]> {
  const damage = await findWalDamage(path);
  if (!damage) return [];
  return [fail('write-ahead log', explainWalDamage(damage), 'Keep a copy of the file with its -wal and -shm now.')];
}

function checkModes(path: string): Check[] {
  if (process.platform === 'win32') return [];
  const open = [path, `${path}-wal`, `${path}-shm`].filter((file) => {
    const found = statOrUndefined(file);
    return found !== undefined && (found.mode & 0o077) !== 0;
  });
  if (open.length === 0) return [ok('modes', 'only you can read it')];
  const files = open.map((file) => `"${file}"`).join(' ');
  return [warn('modes', 'other users of this machine can read it', `Run: chmod 600 ${files}`)];
}

async function checkInside(path: string, driver: Driver): Promise<Check[]> {
  let connection: Connection | undefined;
  try {
    connection = openReadOnly(driver, path);
    const integrity = checkIntegrity(connection);
    const isCurrent = isUpToDate(connection, { file: path, now: Date.now() });
    const checks = [checkSchema(connection, isCurrent), checkJournal(connection), integrity];
    if (!isCurrent) return checks;
    const read = readerOf(connection);
    const rows = await readOpenRows(read);
    return [...checks, ...(await checkProcesses(read, rows)), checkWriteLock(path, rows)];
  } catch (error) {
    const { message, hint } = reportError(explain(error, path));
    return [fail('contents', message, hint)];
  } finally {
    connection?.close();
  }
}

const readerOf = (connection: Connection): Pick<Sql, 'all'> => ({
  all: async <Row>(text: string, ...values: Value[]) => connection.prepare<Value[], Row>(text).all(...values),
});

function checkSchema(connection: Connection, isCurrent: boolean): Check {
  const version = versionOf(connection);
  if (isCurrent) return ok('schema', `version ${version}`);
  if (tableNames(connection).length === 0) return ok('schema', 'empty; will be set up on first use');
  const found = version === 0 ? 'of the earlier server' : `version ${version}`;
  return ok('schema', `${found}; will be saved aside and brought up to date on first use`);
}

function checkJournal(connection: Connection): Check {
  const mode = String(connection.pragma('journal_mode', { simple: true }));
  return mode === 'wal' ? ok('journal', mode) : ok('journal', `${mode}; will be set to wal on first use`);
}

function checkIntegrity(connection: Connection): Check {
  const verdict = String(connection.pragma('quick_check(1)', { simple: true }));
  return verdict === 'ok'
    ? ok('integrity', 'quick_check finds nothing')
    : fail('integrity', verdict, 'Keep the file with its -wal and -shm, and put the newest backup in its place.');
}

function checkBackup({ dataDir }: Config, extension = '.db'): Check {
  const newest = newestBackup(join(dataDir, 'backups'), extension);
  if (newest === undefined) return ok('backup', 'none yet');
  const { mtime, size } = statSync(newest);
  return ok('backup', `${newest}, ${mtime.toISOString()}, ${sizeWords(size)}`);
}

function sizeWords(bytes: number): string {
  const megabyte = 1_048_576;
  return bytes < megabyte ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / megabyte).toFixed(1)} MB`;
}

function checkWriteLock(file: string, { sessions, runners }: OpenRows): Check {
  const holder = findLockHolder(file);
  if (!holder) return processes.ok('write lock', 'free');
  const { pid, isStopped, command } = holder;
  const session = sessions.find((row) => row.pid === pid);
  const runner = runners.some((row) => row.pid === pid);
  const name = session ? `a session of ${session.client_name ?? 'an unnamed client'}` : runner ? 'a runner' : command;
  const detail = `held by process ${pid} (${name})`;
  if (!isStopped) return processes.ok('write lock', `${detail} at this moment`);
  return processes.fail('write lock', `${detail}, which is stopped: nobody can write`, continueStopped(pid));
}

const processes = checksOf('Processes');
