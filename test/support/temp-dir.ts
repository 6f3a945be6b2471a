import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, inject, onTestFinished } from 'vitest';

/** A process that is just ending may still write into it: then what it wrote is removed, too. Node's own retries remove nothing new. */
async function remove(path: string): Promise<void> {
  for (let left = 200; ; left--) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      await setTimeout(50);
    }
  }
}

/** An empty directory that is gone after the test. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'agent-runtime-test-'));
  onTestFinished(() => remove(path));
  return path;
}

/** An empty directory for all tests of a file, called outside of them; gone when the file is done. */
export function makeTempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'agent-runtime-test-'));
  afterAll(() => remove(path));
  return path;
}

/** An empty directory for whatever test of this process wants what is in it; gone when the run is over. */
export const runDir = (): string => mkdtempSync(join(inject('runDir'), 'shared-'));
