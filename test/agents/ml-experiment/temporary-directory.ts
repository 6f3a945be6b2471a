import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A data directory with an empty `folder` in it, taken away when the test ends. */
export function temporaryDirectory(folder: string): { dataDir: string; directory: string } {
  const dataDir = mkdtempSync(join(tmpdir(), 'ml-experiment-'));
  const directory = join(dataDir, folder);
  mkdirSync(directory);
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return { dataDir, directory };
}
