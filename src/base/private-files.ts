import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The file of the owner's token. Whoever can read it counts as the owner, who may do everything. */
export const localTokenPath = (dataDir: string): string => join(dataDir, 'access-token');

/** The owner's token, 256 random bits. It is made on first use, in a file that only the owner can read. */
export function localToken(dataDir: string): string {
  const path = localTokenPath(dataDir);
  const known = readLocalToken(dataDir);
  if (known !== undefined) return known;
  makePrivateDirectory(dataDir);
  const part = `${path}.${process.pid}`;
  writeFileSync(part, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  try {
    // The link is atomic: of two processes that start at once, only one makes it.
    linkSync(part, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    // Another process was faster, or the file holds no valid token.
    if (readLocalToken(dataDir) === undefined) writeFileSync(path, readFileSync(part), { mode: 0o600 });
  } finally {
    rmSync(part, { force: true });
  }
  chmodSync(path, 0o600);
  return readLocalToken(dataDir) ?? '';
}

/** The owner's token if there is one. */
export function readLocalToken(dataDir: string): string | undefined {
  try {
    const text = readFileSync(localTokenPath(dataDir), 'utf8').trim();
    return /^[\w-]{43}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes a directory, and the missing ones above it, for their owner alone. Node's own recursive `mkdir` never returns in
 * a directory that answers ENOENT to every new entry, as /proc does.
 */
export function makePrivateDirectory(path: string): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (!existsSync(parent)) makePrivateDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process that starts at the same instant may have made it.
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
