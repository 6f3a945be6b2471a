import { chmodSync, closeSync, mkdirSync, openSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { vacuumInto } from './backup.js';
import { type Connection, type Driver, loadDriver } from './driver.js';
import { adoptLegacy } from './legacy/adopt.js';
import { type Migration, migrate } from './migrate.js';
import type { Database } from './sql.js';
import { sqliteDatabase } from './sqlite.js';
import { explain, isBusy } from './sqlite-errors.js';

export interface OpenOptions {
  file: string;
  /** Where copies of a database go before its first change. */
  backupDir: string;
  log: Log;
  /** Epoch milliseconds; names the backups and dates the rows of an adopted database. */
  now: () => number;
  /** For tests: another list of migrations. */
  steps?: readonly Migration[];
}

/** The oldest SQLite without the WAL-reset defect, which several writing processes hit (sqlite.org/wal.html). */
const oldestSafeSqlite = [3, 51, 3] as const;

/** A cold start may find a dead process's log to recover; below 5 s of waiting, starts at the same instant fail. */
const openTimeoutMs = 5_000;
const openAttempts = 40;

/**
 * Opens the runtime's database, creating and migrating it as needed; safe for any number of processes at once.
 * Throws `unavailable`, saying which file and how to mend it; never falls back to memory.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const driver = await loadDriver();
  const { file } = options;
  try {
    prepareFile(options);
    const writer = await openWriter(driver, options);
    const reader = new driver(file, { readonly: true, fileMustExist: true, timeout: openTimeoutMs });
    reader.pragma('query_only = on');
    return sqliteDatabase({ file, writer, reader });
  } catch (error) {
    throw explainOpening(error, file);
  }
}

async function openWriter(driver: Driver, options: OpenOptions): Promise<Connection> {
  for (let attempt = 1; ; attempt++) {
    const connection = new driver(options.file, { timeout: openTimeoutMs });
    try {
      refuseUnsafeSqlite(connection);
      if (connection.pragma('journal_mode', { simple: true }) !== 'wal') connection.pragma('journal_mode = wal');
      connection.pragma('synchronous = normal');
      connection.pragma('foreign_keys = on');
      bringUpToDate(driver, connection, options);
      return connection;
    } catch (error) {
      connection.close();
      if (!isBusy(error) || attempt === openAttempts) throw error;
    }
    await sleep(5 + Math.random() * 45);
  }
}

function bringUpToDate(driver: Driver, connection: Connection, options: OpenOptions): void {
  const { file, backupDir, now, log, steps } = options;
  migrate(connection, {
    file,
    ...(steps ? { steps } : {}),
    beforeChange(version) {
      // This connection holds the write lock; a second one copies exactly what is there before the change.
      const copier = new driver(file, { readonly: true, timeout: openTimeoutMs });
      try {
        const path = vacuumInto(copier, {
          backupDir,
          label: version === 0 ? 'before-adoption' : `v${version}`,
          now: now(),
        });
        log.info('database saved before its schema changes', { path });
      } finally {
        copier.close();
      }
    },
    adoptLegacy: (legacy) => adoptLegacy(legacy, now()),
  });
}

/** Private to its owner from the first byte: SQLite gives -wal and -shm the mode of the file it finds. */
function prepareFile({ file, log }: OpenOptions): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    repairModes(file, log);
  }
  warnOfNetworkDisk(dirname(file), log);
}

function repairModes(file: string, log: Log): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found || (found.mode & 0o077) === 0) continue;
    try {
      chmodSync(path, 0o600);
    } catch {
      log.warn('other users of this machine can read the database', { path });
    }
  }
}

/** Magic numbers of statfs(2) for file systems on which SQLite's locks are not kept between hosts. */
const networkDisks = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
]);

function warnOfNetworkDisk(directory: string, log: Log): void {
  const kind = networkDisks.get(statfsSync(directory).type);
  if (kind) log.warn('the database is on a network disk, where several hosts would damage it', { directory, kind });
}

function refuseUnsafeSqlite(connection: Connection): void {
  const found = String(connection.prepare('select sqlite_version()').pluck().get());
  if (isOlder(found.split('.').map(Number), oldestSafeSqlite)) {
    throw new RuntimeError(
      'unavailable',
      `SQLite ${found} may lose writes of several processes; ${oldestSafeSqlite.join('.')} or newer is needed.`,
      'Reinstall agent-runtime-mcp, so that it gets the driver it was released with.',
    );
  }
}

function isOlder(found: readonly number[], wanted: readonly number[]): boolean {
  for (const [index, part] of wanted.entries()) {
    const have = found[index] ?? 0;
    if (have !== part) return have < part;
  }
  return false;
}

function explainOpening(error: unknown, file: string): unknown {
  if (error instanceof Error && 'syscall' in error) {
    return new RuntimeError(
      'unavailable',
      `The database cannot be created: ${file} (${error.message})`,
      'Set AGENT_RUNTIME_DB_PATH to a file in a directory that you may write to.',
      { cause: error },
    );
  }
  return explain(error, file);
}
