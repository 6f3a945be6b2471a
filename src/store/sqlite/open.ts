import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { migrations } from '../migrate.js';
import { type Migration, newestOf, notOurs } from '../schema.js';
import type { Database } from '../sql.js';
import { makeBackup } from './backup.js';
import type { Connection } from './connection.js';
import { type NameProcess, sqliteDatabase } from './database.js';
import { type Driver, loadDriver } from './driver.js';
import { isUpToDate, type MigrateOptions, migrate } from './migrate.js';
import { OpenFile } from './open-file.js';
import { prepareFile } from './prepare-file.js';
import { ownerOf, tableNames } from './schema.js';
import { explain, isBusy } from './sqlite-errors.js';
import { useWal } from './wal.js';
import { explainWalDamage, findWalDamage } from './wal-damage.js';

export interface OpenOptions {
  file: string;
  /** Where copies of a database go before its first change. */
  backupDir: string;
  log: Log;
  /** Names the backups, and dates the rows of an adopted database. */
  now: () => EpochMs;
  /** Milliseconds that a caller waits for a lock before it gets `unavailable`: 10,000 unless given, thrice that while opening. */
  lockDeadlineMs?: number;
  /** What a process that keeps the write lock is to this program. */
  nameProcess?: NameProcess;
  /** For tests: another list of migrations. */
  steps?: readonly Migration[];
}

/** The oldest SQLite without the WAL-reset defect, which several writing processes hit (sqlite.org/wal.html). */
const oldestSafeSqlite = [3, 51, 3] as const;

const usualLockDeadlineMs = 10_000;

/** A cold start may have to recover the WAL of a dead process. With less than 5 s, starts at the same instant fail. */
const openTimeoutMs = 5_000;

/**
 * Opens the runtime's database, creating and migrating it as needed. Safe for any number of processes at once. Throws
 * `unavailable`, saying which file and how to fix it; never falls back to memory.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const driver = await loadDriver();
  const { file, backupDir, log, nameProcess, lockDeadlineMs = usualLockDeadlineMs } = options;
  return sqliteDatabase({
    file,
    backupDir,
    log,
    nameProcess,
    lockDeadlineMs,
    opened: await openFile(driver, options),
    async reopen() {
      refuseUnsound(driver, file);
      return openFile(driver, options);
    },
  });
}

async function openFile(driver: Driver, options: OpenOptions): Promise<OpenFile> {
  const { file, log, lockDeadlineMs = usualLockDeadlineMs, steps = migrations } = options;
  const knownVersion = newestOf(steps);
  const startedAt = performance.now();
  try {
    prepareFile(file, log);
    const damage = await findWalDamage(file);
    if (damage) log.error(explainWalDamage(damage), { file });
    const writer = await openWriter(driver, options, startedAt + lockDeadlineMs * 3);
    return new OpenFile({ file, writer, reader: openReader(driver, file, writer), log, knownVersion, damage });
  } catch (error) {
    throw explainOpening(error, file, performance.now() - startedAt);
  }
}

/** A file that was put in the place of another may still be on its way there: only a whole database of ours is opened. */
function refuseUnsound(driver: Driver, file: string): void {
  const connection = driver.connect(file, { readonly: true, fileMustExist: true, timeout: openTimeoutMs });
  try {
    const verdict = String(connection.pragma('quick_check(1)', { simple: true }));
    if (verdict !== 'ok') throw new Error(`it is damaged: ${verdict}`);
    if (ownerOf(connection) !== 'us') throw notOurs(file, tableNames(connection));
  } finally {
    connection.close();
  }
}

async function openWriter(driver: Driver, options: OpenOptions, giveUpAt: number): Promise<Connection> {
  for (;;) {
    const timeout = Math.max(0, Math.min(openTimeoutMs, giveUpAt - performance.now()));
    const connection = driver.connect(options.file, { timeout: Math.round(timeout) });
    try {
      setUp(driver, connection, options);
      return connection;
    } catch (error) {
      connection.close();
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
    }
    await sleep(5 + Math.random() * 45);
  }
}

function setUp(driver: Driver, connection: Connection, options: OpenOptions): void {
  refuseUnsafeSqlite(String(connection.prepare('select sqlite_version()').pluck().get()));
  const migration = migrationOf(driver, options);
  // Refuses another program's database before anything in it changes, even the journal mode.
  const isReady = isUpToDate(connection, migration);
  useWal(connection, options.file);
  connection.pragma('synchronous = normal');
  // Only macOS has a stronger sync than fsync, and it is what a durable commit means there.
  connection.pragma('fullfsync = on');
  connection.pragma('foreign_keys = on');
  if (!isReady) migrate(connection, migration);
}

function migrationOf(driver: Driver, options: OpenOptions): MigrateOptions {
  const { file, backupDir, log, steps } = options;
  const now = options.now();
  return {
    file,
    now,
    steps,
    save(version) {
      // The write lock is held, so a second connection copies exactly what is there before the change.
      const copier = driver.connect(file, { readonly: true, timeout: openTimeoutMs });
      try {
        const label = version === 0 ? 'before-adoption' : `v${version}`;
        const path = makeBackup(copier, { backupDir, label, now });
        log.info('database saved before its schema changes', { path });
        return () => rmSync(path, { force: true });
      } finally {
        copier.close();
      }
    },
  };
}

function openReader(driver: Driver, file: string, writer: Connection): Connection {
  try {
    return driver.connect(file, { readonly: true, fileMustExist: true });
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Exported for its tests. */
export function refuseUnsafeSqlite(version: string): void {
  if (isOlder(version.split('.').map(Number), oldestSafeSqlite)) {
    throw new RuntimeError(
      'unavailable',
      `SQLite ${version} may lose writes of several processes; ${oldestSafeSqlite.join('.')} or newer is needed.`,
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

function explainOpening(error: unknown, file: string, waitedMs: number): unknown {
  if (error instanceof Error && 'syscall' in error) {
    return new RuntimeError(
      'unavailable',
      `The database cannot be created: ${file} (${error.message})`,
      'Set AGENT_RUNTIME_DB_PATH to a file in a directory that you may write to.',
      { cause: error },
    );
  }
  return explain(error, file, waitedMs);
}
