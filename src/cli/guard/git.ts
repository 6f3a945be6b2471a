import { spawnSync } from 'node:child_process';
import { RuntimeError } from '../../base/errors.js';

/** What git prints in this directory. Throws `invalid` with git's own words. */
export function git(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 100_000_000 });
  if (status === 0) return stdout;
  const reason = error?.message ?? (stderr.trim() || `git ${args[0]} ended with ${status}`);
  throw new RuntimeError('invalid', `git: ${reason}`, 'Call it in a work tree of git.');
}
