import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The work tree of git that a directory is in, without symbolic links; undefined if it is in none. */
export function workTreeOf(directory: string): string | undefined {
  let current = realPath(directory);
  for (;;) {
    // A directory in the main work tree, a file in others and in submodules.
    if (existsSync(join(current, '.git'))) return current;
    const parent = dirname(current);
    if (parent === current) return undefined;
    current = parent;
  }
}

/** A path without symbolic links, as far as it exists. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
