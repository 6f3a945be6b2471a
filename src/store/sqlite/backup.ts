import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { EpochMs } from '../../base/clock.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { makePrivateDirectory } from '../../base/private-files.js';
import { cut } from '../../base/text.js';
import type { Connection } from './connection.js';
import { isBusy, isDamage } from './sqlite-errors.js';

export interface BackupPlan {
  backupDir: string;
  /** Why it was made: `manual`, `before-clean`, `v3`. Part of its name. */
  label: string;
  now: EpochMs;
  /** `.db` unless it is a copy of another engine's. */
  extension?: string;
}

/** The path of a backup made now. Names sort by time. */
export function backupPath({ backupDir, label, now, extension = '.db' }: BackupPlan): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('.', '');
  return join(backupDir, `agent_runtime-${stamp}-${label}${extension}`);
}

/** The path of a name in the backup directory. Throws `invalid` for one that leads elsewhere. */
export function pathInside(backupDir: string, name: string): string {
  const path = resolve(backupDir, name);
  const own = basename(path);
  if (dirname(path) === resolve(backupDir) && !own.startsWith('.') && !own.includes('\0') && own.length <= 200) {
    return path;
  }
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(cut(name, 200))} is not the name of a file in the backup directory ${backupDir}.`,
    'Give a name alone, such as before-merge.db. Any other place is for the command line: agent-runtime backup FILE.',
  );
}

/** Makes a backup as planned; returns its path. Throws as `copyInto` does. */
export function makeBackup(connection: Connection, plan: BackupPlan): string {
  const path = backupPath(plan);
  copyInto(connection, path);
  return path;
}

/**
 * Copies the database as `connection` sees it to `path`, which must not exist; makes its directory if need be.
 * Throws `conflict` if the path is taken, `unavailable` if the copy cannot be written; SQLITE_BUSY is for the caller.
 */
export function copyInto(connection: Connection, path: string): void {
  if (existsSync(path)) throw new RuntimeError('conflict', `The file ${path} exists already.`, 'Choose another path.');
  try {
    makePrivateDirectory(dirname(path));
    removeUnfinished(dirname(path), Date.now());
    vacuumInto(connection, path);
  } catch (error) {
    if (isBusy(error) || isDamage(error)) throw error;
    throw new RuntimeError(
      'unavailable',
      `The copy ${path} could not be written: ${messageOf(error)}`,
      'Free some space or choose a directory that you may write to; the database itself is as it was.',
      { cause: error },
    );
  }
}

/**
 * `VACUUM INTO` is the only way that is both consistent and quick under other writers: SQLite's page-wise backup restarts
 * at each of their commits. It is also the only one that opens no file which SQLite has locks on. It gives a new file the
 * mode of the umask and keeps the mode of an empty one, so an empty private file comes first. The copy gets its name once
 * it is complete.
 */
function vacuumInto(connection: Connection, path: string): void {
  const unfinished = `${path}.${process.pid}.part`;
  try {
    closeSync(openSync(unfinished, 'ax', 0o600));
    connection.prepare('vacuum into ?').run(unfinished);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** `FILE.db.PID.part`, and what SQLite keeps beside it while it writes. */
const unfinishedName = /\.(\d{1,10})\.part(?:-journal|-wal|-shm)?$/;
const minuteMs = 60_000;

/**
 * Removes what backups have left that were killed in their middle: files of processes that are gone, a minute after their
 * last write. Another pid namespace may write into the same directory, but its files do not rest so long.
 */
export function removeUnfinished(directory: string, now: EpochMs): void {
  for (const name of namesIn(directory)) {
    const pid = unfinishedName.exec(name)?.[1];
    if (pid === undefined) continue;
    const path = join(directory, name);
    const restedMs = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
    if (restedMs > 60 * minuteMs || (restedMs > minuteMs && !isRunning(Number(pid)))) rmSync(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A file of the backup directory. */
export interface Backup {
  name: string;
  path: string;
  sizeBytes: number;
  at: EpochMs;
}

/** The whole backups of a directory, newest first. */
export function listBackups(backupDir: string): Backup[] {
  const backups = namesIn(backupDir).flatMap((name) => {
    const path = join(backupDir, name);
    const file = statSync(path, { throwIfNoEntry: false });
    return file?.isFile() && !name.endsWith('.part') ? [{ name, path, sizeBytes: file.size, at: file.mtimeMs }] : [];
  });
  return backups.sort((one, other) => other.at - one.at);
}

/** The newest backup in the directory, if there is one. */
export function newestBackup(backupDir: string, extension = '.db'): string | undefined {
  const names = namesIn(backupDir).filter((name) => /^agent_runtime-\d/.test(name) && name.endsWith(extension));
  const newest = names.sort().at(-1);
  return newest && join(backupDir, newest);
}
