import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject, onTestFinished } from 'vitest';

/** A process that is just ending may still write into it. */
const remove = (path: string) => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });

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
