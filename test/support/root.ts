import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the project, also for a file that `.config/run.mjs` has bundled into another place. */
export const projectRoot = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(directory: string): string {
  if (existsSync(join(directory, 'package-lock.json'))) return directory;
  const above = dirname(directory);
  if (above === directory) throw new Error(`No project is above ${import.meta.url}.`);
  return rootAbove(above);
}
