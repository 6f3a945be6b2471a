import { existsSync, renameSync } from 'node:fs';
import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { migrations } from '../migrate.js';
import { notOurs, tooNew } from '../schema.js';
import type { Connection } from './connection.js';
import { type Driver, loadDriver } from './driver.js';
import { prepareFile } from './prepare-file.js';
import { ownerOf, tableNames, versionOf } from './schema.js';
import { explain } from './sqlite-errors.js';

export interface RestoreOptions {
  /** The backup. It is not changed. */
  from: string;
  /** The database that takes its contents. */
  file: string;
  log: Log;
}

/**
 * Replaces the contents of the database by those of a backup, in one transaction of SQLite's own: a process that has it
 * open sees either the old or the new. The old contents are lost unless the caller has saved them. Throws `not_found`,
 * and `unavailable` for a file that is damaged or of another program; then nothing was changed.
 */
export async function restoreDatabase({ from, file, log }: RestoreOptions): Promise<void> {
  if (!existsSync(from)) {
    throw new RuntimeError(
      'not_found',
      `There is no file ${from}.`,
      'Backups are in the directory `backups` of the data directory.',
    );
  }
  const driver = await loadDriver();
  const backup = openBackup(driver, from);
  try {
    refuseUnusable(backup, from);
    prepareFile(file, log);
    await backup.backup(file);
  } catch (error) {
    throw explain(error, file);
  } finally {
    backup.close();
  }
}

/** Renames a damaged database, with its WAL, and returns the new path. No process may have it open. */
export function setAside(file: string, now: EpochMs): string {
  const aside = `${file}.damaged-${new Date(now).toISOString().replaceAll(/[-:.]/g, '')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return aside;
}

function openBackup(driver: Driver, from: string): Connection {
  try {
    return driver.connect(from, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw explain(error, from);
  }
}

function refuseUnusable(backup: Connection, from: string): void {
  try {
    const verdict = String(backup.pragma('quick_check(1)', { simple: true }));
    if (verdict !== 'ok')
      throw new RuntimeError('unavailable', `The backup ${from} is damaged: ${verdict}`, 'Choose another one.');
    if (ownerOf(backup) !== 'us') throw notOurs(from, tableNames(backup));
    const newest = migrations.at(-1)?.version ?? 0;
    if (versionOf(backup) > newest) throw tooNew(from, versionOf(backup), newest);
  } catch (error) {
    throw explain(error, from);
  }
}
