import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EpochMs } from '../base/clock.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import { makePrivateDirectory } from '../base/private-files.js';
import type { Connection } from './connection.js';
import { isBusy, isDamage } from './sqlite-errors.js';

export interface BackupPlan {
  backupDir: string;
  /** Why it was made: `manual`, `before-clean`, `v3`. Part of its name. */
  label: string;
  now: EpochMs;
}

/** The path of a backup made now. Names sort by time. */
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
