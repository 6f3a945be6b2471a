import { chmodSync, closeSync, openSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../base/log.js';
import { makePrivateDirectory } from '../base/private-files.js';

/**
 * Makes the database's directory and an empty file if they are not there: private to its owner from the first byte, as
 * SQLite gives -wal and -shm the mode of the file it finds. Opens no file that exists: closing it again would drop the
 * locks that this process may hold on it through SQLite (sqlite.org/howtocorrupt.html 2.2).
 */
export function prepareFile(file: string, log: Log): void {
  makePrivateDirectory(dirname(file));
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
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

/** The name of a kind of disk on which SQLite's locks are not kept between hosts, from the type of statfs(2). */
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
