import { closeSync, openSync } from 'node:fs';
import { loadDriver } from './driver.js';
import { isBusy } from './sqlite-errors.js';

/**
 * A lock that the operating system takes back when its process ends, in whatever way: SQLite's own on a file that is made
 * for it. Resolves to what gives it back; undefined if another process has it.
 */
export async function takeProcessLock(file: string): Promise<(() => void) | undefined> {
  const { connect } = await loadDriver();
  closeSync(openSync(file, 'a', 0o600));
  const connection = connect(file, { timeout: 0 });
  try {
    connection.exec('begin exclusive');
    return () => void connection.close();
  } catch (error) {
    connection.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}
