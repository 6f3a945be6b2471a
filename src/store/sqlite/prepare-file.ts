import { chmodSync, closeSync, openSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../base/log.js';
import { systemCode } from '../../base/network-error.js';
import { makePrivateDirectory } from '../../base/private-files.js';

/**
 * Creates the database's directory and an empty file if they are missing. The file is private to its owner from the first
 * byte: SQLite gives -wal and -shm the same mode. Does not open a file that exists, because closing it would drop the
 * locks that this process may hold on it through SQLite (sqlite.org/howtocorrupt.html 2.2).
 */
export function prepareFile(file: string, log: Log): void {
  makePrivateDirectory(dirname(file));
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    repairModes(file, log);
  }
  warnOfSharedDisk(dirname(file), log);
}

function repairModes(file: string, log: Log): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found || (found.mode & 0o077) === 0) continue;
    try {
      chmodSync(path, 0o600);
    } catch {
      log.warn('other users of this machine can read the database', { path });
    }
  }
}

function warnOfSharedDisk(directory: string, log: Log): void {
  const kind = sharedDiskOf(statfsSync(directory).type);
  if (kind)
    log.warn('the database is on a disk that other hosts may use too; they would damage it', { directory, kind });
}

/** The name of a file system on which SQLite's locks do not hold between hosts, from the type of statfs(2). */
export function sharedDiskOf(type: number): string | undefined {
  return sharedDisks.get(type);
}

const sharedDisks = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
]);
