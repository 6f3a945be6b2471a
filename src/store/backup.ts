import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from './driver.js';

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

/**
 * Copies the database as `connection` sees it; resolves to the path. `VACUUM INTO` is the only way that is both
 * consistent and quick under other writers (SQLite's page-wise backup restarts at each of their commits), and the only
 * one that opens no file which SQLite has locks on.
 */
export function vacuumInto(connection: Connection, plan: BackupPlan): string {
  mkdirSync(plan.backupDir, { recursive: true, mode: 0o700 });
  const path = backupPath(plan);
  const unfinished = `${path}.${process.pid}.part`;
  try {
    connection.prepare('vacuum into ?').run(unfinished);
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return path;
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
