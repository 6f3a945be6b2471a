import { cpSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A copy of dist/, which may be built anew while it is used; inside the project, where its packages are found. */
export function copyDist(name: string): { path: string; remove(): void } {
  const path = resolve('node_modules', '.cache', `${name}-${process.pid}`);
  cpSync(resolve('dist'), path, { recursive: true });
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export const mainOf = (dist: string): string => join(dist, 'main.js');
