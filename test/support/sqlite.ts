import type { Connection, ConnectionOptions } from '../../src/store/sqlite/connection.js';
import { loadDriver } from '../../src/store/sqlite/driver.js';

const driver = await loadDriver();

/** A connection past the store, by the driver that the store uses on this Node. */
export function connect(file: string, options?: ConnectionOptions): Connection {
  return driver.connect(file, options);
}
