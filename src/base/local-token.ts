import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateDirectory } from './private-directory.js';

/** Where the owner's own token is: whoever can read it is the owner, and may do everything. */
export const localTokenPath = (dataDir: string): string => join(dataDir, 'access-token');

/** The owner's token, 256 random bits; made on first use, in a file that only the owner can read. */
export function localToken(dataDir: string): string {
  const path = localTokenPath(dataDir);
  const known = readLocalToken(dataDir);
  if (known !== undefined) return known;
  makePrivateDirectory(dataDir);
  const part = `${path}.${process.pid}`;
  writeFileSync(part, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  try {
    // Of two processes that start at once, one makes it.
    linkSync(part, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    // It holds no token, or another process was faster.
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
