import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { Connection } from './connection.js';
import type { Driver } from './driver.js';

const waitMs = 2_000;

/**
 * Opens a connection that changes neither a row nor the files in the directory. To read a database in WAL mode, SQLite
 * needs the -wal and -shm files beside it. If they exist, a read-only connection uses them and leaves them as they are.
 * If they do not, a read-only connection would create them and leave them behind; a connection that may write removes
 * them again when it closes.
 */
export function openReadOnly(driver: Driver, file: string): Connection {
  const mustCleanUp = usesWal(file) && !existsSync(`${file}-wal`);
  const connection = driver.connect(file, { readonly: !mustCleanUp, fileMustExist: true, timeout: waitMs });
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
