import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../base/config.js';
import { reportError } from '../../base/errors.js';
import { newestBackup } from '../../store/backup.js';
import type { Connection, Driver } from '../../store/driver.js';
import { isUpToDate } from '../../store/migrate.js';
import { tableNames, versionOf } from '../../store/schema.js';
import { explain } from '../../store/sqlite-errors.js';
import { type Check, checksOf } from './check.js';
import { isWritable } from './check-directories.js';
import { checkProcesses } from './check-processes.js';
import { lookAtDatabase } from './look-at-database.js';
import { statIfThere } from './stat-if-there.js';

const { ok, warn, fail } = checksOf('Database');

/** The database as it lies there. It is never created or changed by looking. */
export function checkDatabase(config: Config, driver: Driver | undefined): Check[] {
  const { dbPath } = config;
  const found = statIfThere(dbPath);
  if (!found) return [ok('file', `${dbPath} will be created on first use`), checkBackup(config)];
  if (!found.isFile()) {
    return [fail('file', `${dbPath} is not a file`, 'Set AGENT_RUNTIME_DB_PATH to a file.'), checkBackup(config)];
  }
  return [
    checkFile(dbPath, found.size),
    ...checkModes(dbPath),
    checkBackup(config),
    ...(driver ? checkInside(dbPath, driver) : []),
  ];
}

function checkFile(path: string, size: number): Check {
  const log = statIfThere(`${path}-wal`)?.size ?? 0;
  const detail = `${path}, ${sizeWords(size)}${log > 0 ? ` and ${sizeWords(log)} in its log` : ''}`;
  return isWritable(path)
    ? ok('file', detail)
    : fail('file', `${path} cannot be written to`, `Run: chmod u+w "${path}", or set AGENT_RUNTIME_DB_PATH.`);
}

function checkModes(path: string): Check[] {
  if (process.platform === 'win32') return [];
  const open = [path, `${path}-wal`, `${path}-shm`].filter((file) => {
    const found = statIfThere(file);
    return found !== undefined && (found.mode & 0o077) !== 0;
  });
  if (open.length === 0) return [ok('modes', 'only you can read it')];
  const files = open.map((file) => `"${file}"`).join(' ');
  return [warn('modes', 'other users of this machine can read it', `Run: chmod 600 ${files}`)];
}

function checkInside(path: string, driver: Driver): Check[] {
  let connection: Connection | undefined;
  try {
    connection = lookAtDatabase(driver, path);
    const integrity = checkIntegrity(connection);
    const isCurrent = isUpToDate(connection, { file: path, now: Date.now() });
    const checks = [checkSchema(connection, isCurrent), checkJournal(connection), integrity];
    return isCurrent ? [...checks, ...checkProcesses(connection)] : checks;
  } catch (error) {
    const { message, hint } = reportError(explain(error, path));
    return [fail('contents', message, hint)];
  } finally {
    connection?.close();
  }
}

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

function checkBackup({ dataDir }: Config): Check {
  const newest = newestBackup(join(dataDir, 'backups'));
  if (newest === undefined) return ok('backup', 'none yet');
  const { mtime, size } = statSync(newest);
  return ok('backup', `${newest}, ${mtime.toISOString()}, ${sizeWords(size)}`);
}

function sizeWords(bytes: number): string {
  const megabyte = 1_048_576;
  return bytes < megabyte ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / megabyte).toFixed(1)} MB`;
}
