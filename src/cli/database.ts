import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RuntimeError } from '../base/errors.js';
import type { LiveProcess } from '../core/overview/sessions.js';
import { newestBackup } from '../store/sqlite/backup.js';
import { restoreDatabase, setAside } from '../store/sqlite/restore.js';
import type { CommandContext } from './define-command.js';
import { parseAge } from './options.js';
import { callerOf, type Setting, settingOf, withRuntime } from './with-runtime.js';

/** Copies the database to a file while others use it. */
export async function runBackup(
  { file }: { file: string | undefined },
  { flags, output }: CommandContext,
): Promise<void> {
  const { path, sizeBytes } = await withRuntime(settingOf(flags), (runtime) =>
    runtime.maintenance.backup(file === undefined ? undefined : resolve(file)),
  );
  if (flags.isJson) output.printJson({ path, size_bytes: sizeBytes });
  else output.print(path);
}

export interface RestoreOptions {
  /** The backup; undefined for the newest one. */
  file: string | undefined;
  isForced: boolean;
}

/** Replaces the contents of the database by those of a backup. A copy of the current contents is kept. */
export async function runRestore({ file, isForced }: RestoreOptions, { flags, output }: CommandContext): Promise<void> {
  const setting = settingOf(flags);
  const from = file === undefined ? requireBackup(setting) : resolve(file);
  if (!existsSync(from))
    throw new RuntimeError(
      'not_found',
      `There is no file ${from}.`,
      'Run `agent-runtime doctor` to see the newest backup.',
    );
  const saved = await saveCurrent(setting, isForced);
  const { dbUrl, dbPath } = setting.config;
  if (dbUrl === undefined) await restoreDatabase({ from, file: dbPath, log: setting.log });
  else await (await import('../store/postgres/open.js')).restorePostgres(dbUrl, from);
  // Sessions and runners that the backup lists have long ended: the sweep releases what they held.
  const counts = await withRuntime(setting, async (runtime) => {
    await runtime.maintenance.runOnce();
    return runtime.db.get<{ goals: number; tasks: number; jobs: number }>(
      'select (select count(*) from goals) as goals, (select count(*) from tasks) as tasks, (select count(*) from jobs) as jobs',
    );
  });
  if (flags.isJson) output.printJson({ restored: from, saved: saved ?? null, ...counts });
  else {
    output.print(`Restored ${from}: ${counts?.goals} goals, ${counts?.tasks} tasks, ${counts?.jobs} jobs.`);
    if (saved) output.print(`The previous contents: ${saved}`);
  }
}

function requireBackup({ config }: Setting): string {
  const directory = join(config.dataDir, 'backups');
  const newest = newestBackup(directory, config.dbUrl === undefined ? '.db' : '.dump');
  if (newest) return newest;
  throw new RuntimeError('not_found', `There is no backup in ${directory}.`, 'Name the file to restore.');
}

/**
 * Saves the current contents of the database and resolves to the path of the copy; undefined if there is no database.
 * Throws `conflict` if another process uses it, unless `isForced`.
 */
async function saveCurrent(setting: Setting, isForced: boolean): Promise<string | undefined> {
  const { dbPath, dbUrl } = setting.config;
  if (dbUrl === undefined && !existsSync(dbPath)) return undefined;
  try {
    return await withRuntime(setting, async (runtime) => {
      const live = await runtime.liveProcesses();
      if (live.length > 0 && !isForced) {
        throw inUse(
          runtime.db.location,
          live,
          'End these clients first, or pass --force: they will see the restored rows, and may hold claims that no longer exist.',
        );
      }
      return (await runtime.maintenance.backup(undefined, 'before-restore')).path;
    });
  } catch (error) {
    if (!isForced || !(error instanceof RuntimeError) || error.code !== 'unavailable') throw error;
    // A server's own tools look after what is damaged there.
    if (dbUrl !== undefined) throw error;
    return setAside(dbPath, Date.now());
  }
}

export function inUse(path: string, live: readonly LiveProcess[], hint: string): RuntimeError {
  const named = live.map(({ kind, pid, isProven }) => `${kind} ${pid}${isProven ? '' : ' (elsewhere)'}`).join(', ');
  return new RuntimeError('conflict', `The database ${path} is in use: ${named}.`, hint);
}

/** Deletes what ended before an age such as `30d`, after a backup. */
export async function runPurge({ olderThan }: { olderThan: string }, { flags, output }: CommandContext): Promise<void> {
  const age = parseAge(olderThan);
  const setting = settingOf(flags);
  const purged = await withRuntime(setting, async (runtime) => {
    const { path } = await runtime.maintenance.backup(undefined, 'before-purge');
    const before = runtime.clock.now() - age;
    return {
      ...(await runtime.maintenance.purge(before, callerOf(setting.config))),
      before: new Date(before).toISOString(),
      backup: path,
    };
  });
  if (flags.isJson) {
    output.printJson(purged);
    return;
  }
  const { before, backup, ...counts } = purged;
  const parts = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  output.print(`Deleted what ended before ${before}: ${parts.join(', ')}.`);
  output.print(`Backup: ${backup}`);
}
