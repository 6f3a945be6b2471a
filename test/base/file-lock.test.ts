import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withFileLock } from '../../src/base/file-lock.js';
import { tempDir } from '../support/temp-dir.js';

/** A process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('exit', resolve));
  return child.pid ?? 0;
}

/** Lets so many take the lock at once; resolves to the most that had it at a time. */
async function mostInside(path: string, count: number): Promise<number> {
  let inside = 0;
  let most = 0;
  const hold = () =>
    withFileLock(path, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    });
  await Promise.all(Array.from({ length: count }, hold));
  return most;
}

it('those who hold a lock follow one another, and leave nothing behind', async () => {
  const directory = tempDir();
  const path = join(directory, 'deep', 'a.lock');
  expect(await mostInside(path, 12)).toBe(1);
  expect(readdirSync(join(directory, 'deep'))).toEqual([]);
});

it('a lock is given back when what it was for fails', async () => {
  const path = join(tempDir(), 'a.lock');
  await expect(withFileLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(path)).toBe(false);
});

it('the lock of a process that has died is taken over at once, by one of many', async () => {
  const path = join(tempDir(), 'a.lock');
  writeFileSync(path, `${await deadPid()} x ${hostname()}`);
  expect(await mostInside(path, 8)).toBe(1);
});

it('one of a living process, or of another host, is waited for, and the error names the file', async () => {
  for (const owner of [`${process.pid} x ${hostname()}`, '1 x another-host']) {
    const path = join(tempDir(), 'a.lock');
    writeFileSync(path, owner);
    await expect(withFileLock(path, async () => 'in', 100)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(path),
    });
    expect(readFileSync(path, 'utf8')).toBe(owner);
  }
});

it('one that is older than any work takes is taken over, whoever has it', async () => {
  const path = join(tempDir(), 'a.lock');
  writeFileSync(path, '1 x another-host');
  const longAgo = Date.now() / 1_000 - 120;
  utimesSync(path, longAgo, longAgo);
  expect(await withFileLock(path, async () => 'in')).toBe('in');
});
