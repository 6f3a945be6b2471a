import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, RuntimeError } from '../base/errors.js';
import { makePrivateDirectory } from '../base/private-files.js';
import type { Connection } from './driver.js';
import { isBusy, isDamage } from './sqlite-errors.js';

export interface BackupPlan {
  backupDir: string;
  /** Says why it was made: `manual`, `before-clean`, `v3`. */
  label: string;
  /** Epoch milliseconds. */
  now: number;
}

/** Where a backup of this moment goes; names sort by time. */
export function backupPath({ backupDir, label, now }: BackupPlan): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('.', '');
  return join(backupDir, `agent_runtime-${stamp}-${label}.db`);
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
 * `VACUUM INTO` is the only way that is both consistent and quick under other writers (SQLite's page-wise backup
 * restarts at each of their commits), and the only one that opens no file which SQLite has locks on. It would give its
 * output the mode of the umask, but takes an empty file as it is: so the copy is private from its first byte, and gets
 * its name once it is whole.
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

/** The newest backup in the directory, if there is one. */
export function newestBackup(backupDir: string): string | undefined {
  try {
    const names = readdirSync(backupDir).filter((name) => /^agent_runtime-\d.*\.db$/.test(name));
    const newest = names.sort().at(-1);
    return newest && join(backupDir, newest);
  } catch {
    return undefined;
  }
}
