import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from './errors.js';
import { newShortId } from './ids.js';
import { makePrivateDirectory } from './private-files.js';

/** Whoever holds a lock for longer has been stopped in the middle. What is locked takes less. */
const staleMs = 60_000;
const lookMs = 25;

/**
 * Runs `body` while nobody else holds the lock file `path`. The lock of a process that has died is
 * taken over. Throws RuntimeError `unavailable` if others hold it for more than `waitMs`.
 */
export async function withFileLock<Result>(
  path: string,
  body: () => Promise<Result>,
  waitMs = 2 * staleMs,
): Promise<Result> {
  makePrivateDirectory(dirname(path));
  const mine = `${process.pid} ${newShortId()} ${hostname()}`;
  const giveUpAt = performance.now() + waitMs;
  while (!take(path, mine)) {
    setAsideIfStale(path);
    if (performance.now() > giveUpAt) {
      throw new RuntimeError(
        'unavailable',
        `Another process holds ${path} for too long.`,
        'Try again; delete the file if nothing else runs.',
      );
    }
    await sleep(lookMs);
  }
  try {
    return await body();
  } finally {
    // Taken over, it is another's.
    if (readLock(path) === mine) rmSync(path, { force: true });
  }
}

function take(path: string, mine: string): boolean {
  try {
    writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Of several processes that see the same stale lock, one moves it away. A newer one that was moved by mistake is put back. */
function setAsideIfStale(path: string): void {
  const seen = readLock(path);
  if (seen === undefined || !isStale(path, seen)) return;
  const aside = `${path}.${newShortId()}`;
  try {
    renameSync(path, aside);
    if (readLock(aside) !== seen) linkSync(aside, path);
  } catch {
    // Somebody else has moved it, or has a lock by now.
  } finally {
    rmSync(aside, { force: true });
  }
}

function isStale(path: string, owner: string): boolean {
  const [pid, , host] = owner.split(' ');
  // A process in another container is not seen here.
  if (host === hostname() && !isAlive(Number(pid))) return true;
  const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changedAt !== undefined && Math.abs(Date.now() - changedAt) > staleMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
