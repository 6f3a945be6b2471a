import { createHash } from 'node:crypto';
import { chmodSync, lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../base/config.js';
import { RuntimeError } from '../../base/errors.js';
import { makePrivateDirectory } from '../../base/private-files.js';
import { version } from '../../base/version.js';
import type { ProcessIdentity } from '../../core/ports.js';

/** The address of a socket has 104 bytes on macOS and 108 on Linux (unix(7)), the last of them 0. */
const longestSocketBytes = 100;

/**
 * Where the keeper of shared servers listens. Only sessions that can use the same processes get the same address: of one
 * version of this program, one database and data folder, one host and one container.
 */
export function keeperSocket(
  { dataDir, dbPath, dbUrl }: Pick<Config, 'dataDir' | 'dbPath' | 'dbUrl'>,
  { hostId, pidNamespace }: ProcessIdentity,
  ofVersion = version,
): string {
  const user = process.getuid?.();
  const what = [ofVersion, dataDir, dbUrl ?? dbPath, hostId, pidNamespace, user];
  const name = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\agent-runtime-${name}`;
  const usual = join(dataDir, 'keeper', `${name}.sock`);
  // Not the folder for temporary files, of which each session may have another.
  return Buffer.byteLength(usual) <= longestSocketBytes ? usual : `/tmp/agent-runtime-${user}/${name}.sock`;
}

/** The file whose lock the one keeper has. */
export function keeperLock(socket: string, dataDir: string): string {
  if (process.platform !== 'win32') return `${socket}.lock`;
  return join(dataDir, 'keeper', `${socket.slice(socket.lastIndexOf('\\') + 1)}.lock`);
}

/**
 * Makes the folder of the socket, for its owner alone. Throws `unavailable` if it is somebody else's: what listens there
 * would be told the keys of the servers.
 */
export function makeSocketFolder(socket: string): void {
  if (process.platform === 'win32') return;
  const folder = dirname(socket);
  makePrivateDirectory(folder);
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new RuntimeError(
      'unavailable',
      `${folder} is not a folder of this user, so no keeper of shared servers is looked for in it.`,
      'Remove it, or set AGENT_RUNTIME_DATA_DIR to a shorter path.',
    );
  }
  if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}
