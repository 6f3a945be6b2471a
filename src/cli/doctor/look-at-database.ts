import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { Connection, Driver } from '../../store/driver.js';

const waitMs = 2_000;

/**
 * A connection that changes nothing: neither a row nor what lies in the directory. To read a database in WAL mode SQLite
 * needs the -wal and -shm files beside it. Where they are, a read-only connection uses and leaves them. Where they are
 * not, it would make them and leave them behind; one that may write takes them away again when it closes, and has
 * nothing else to write.
 */
export function lookAtDatabase(driver: Driver, file: string): Connection {
  const isRestful = usesWal(file) && !existsSync(`${file}-wal`);
  const connection = new driver(file, { readonly: !isRestful, fileMustExist: true, timeout: waitMs });
  connection.pragma('query_only = on');
  return connection;
}

/** Bytes 18 and 19 of the header (sqlite.org/fileformat2.html, 1.3); read before SQLite has the file open. */
function usesWal(file: string): boolean {
  const header = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header[18] === 2 && header[19] === 2;
}
