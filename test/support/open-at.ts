import { silentLog } from '../../src/base/log.js';
import { openDatabase } from '../../src/store/open.js';
import type { Database } from '../../src/store/sql.js';

/** Opens the database that a test names by its `location`: a file, or the address of one on a server. */
export function openAt(location: string, now: () => number = Date.now): Promise<Database> {
  const url = location.startsWith('postgres') ? location : undefined;
  return openDatabase({ file: location, url, backupDir: `${location}-backups`, log: silentLog, now });
}
