import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { tempDir } from '../../support/temp-dir.js';

export interface Tmpfs {
  readonly path: string;
  makeReadOnly(): void;
}

/** A small disk of its own, gone after the test; skips the test, saying why, where this user may not mount one. */
export function mountTmpfs(context: TestContext, sizeKb: number): Tmpfs {
  const path = join(tempDir(), 'disk');
  mkdirSync(path);
  const failure = mount('-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'tmpfs', path);
  if (failure !== undefined) context.skip(`no disk can be mounted here: ${failure}`);
  onTestFinished(() => void spawnSync('umount', ['--lazy', path]));
  return {
    path,
    makeReadOnly() {
      const refusal = mount('-o', 'remount,ro', path);
      if (refusal !== undefined) throw new Error(refusal);
    },
  };
}

/** Returns why it failed, or nothing. */
function mount(...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}
