import { closeSync, openSync } from 'node:fs';
import { systemCode } from '../../base/network-error.js';
import { loadDriver } from './driver.js';
import { isBusy } from './sqlite-errors.js';

/**
 * A lock that the operating system takes back when its process ends, in whatever way: SQLite's own on a file that is made
 * for it. Resolves to what gives it back; undefined if another process has it.
 */
export async function takeProcessLock(file: string): Promise<(() => void) | undefined> {
  const { connect } = await loadDriver();
  makePrivate(file);
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

/** A file that exists is not opened: closing it would drop a lock that this process has on it. */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
