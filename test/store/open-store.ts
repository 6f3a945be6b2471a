import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Log, silentLog } from '../../src/base/log.js';
import type { Database } from '../../src/store/sql.js';
import { type OpenOptions, openDatabase } from '../../src/store/sqlite/open.js';
import { tempDir } from '../support/temp-dir.js';
import { testTables } from './test-tables.js';

export interface Store extends Database {
  readonly backupDir: string;
}

/** The settings of a store with the test's tables in a directory of its own, unless told otherwise. */
export function storeOptions(options: Partial<OpenOptions> = {}): OpenOptions {
  const file = options.file ?? join(tempDir(), 'state', 'agent_runtime.db');
  return {
    file,
    backupDir: join(file, '..', '..', 'backups'),
    log: silentLog,
    now: () => Date.UTC(2026, 10, 20, 12),
    steps: [testTables],
    ...options,
  };
}

/** An open store, closed after the test. */
export async function openStore(options: Partial<OpenOptions> = {}): Promise<Store> {
  const settings = storeOptions(options);
  const db = await openDatabase(settings);
  onTestFinished(() => db.close());
  return Object.assign(db, { backupDir: settings.backupDir });
}

/** The texts of the notes table, in order. */
export async function notesIn(db: Database): Promise<string[]> {
  const rows = await db.all<{ text: string }>('select text from notes order by id');
  return rows.map((row) => row.text);
}

export interface RecordingLog extends Log {
  /** `level: message`, in order. */
  readonly lines: string[];
}

export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
