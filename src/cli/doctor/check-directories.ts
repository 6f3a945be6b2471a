import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../base/config.js';
import { sharedDiskOf } from '../../store/prepare-file.js';
import { type Check, checksOf } from './check.js';
import { statIfThere } from './stat-if-there.js';

const { ok, warn, fail } = checksOf('Directories');

/** Whether what is to be kept can be. */
export function checkDirectories({ dbPath, dataDir }: Config): Check[] {
  return [
    checkDirectory('database', dirname(dbPath), 'AGENT_RUNTIME_DB_PATH'),
    checkDirectory('data', dataDir, 'AGENT_RUNTIME_DATA_DIR'),
  ];
}

function checkDirectory(name: string, path: string, variable: string): Check {
  const mend = `Make it writable, or set ${variable} to another place.`;
  const found = statIfThere(path);
  if (found && !found.isDirectory()) return fail(name, `${path} is not a directory`, mend);
  const nearest = found ? path : nearestThere(path);
  if (!statIfThere(nearest)?.isDirectory()) return fail(name, `${nearest} is not a directory`, mend);
  if (!isWritable(nearest)) return fail(name, `${nearest} cannot be written to`, mend);
  const disk = sharedDiskOf(statfsSync(nearest).type);
  if (disk) return warn(name, `${nearest} is on a network disk (${disk}), which several hosts must not share`, mend);
  return ok(name, found ? path : `${path} will be created on first use`);
}

/** Of the directories above the one that exists. */
function nearestThere(path: string): string {
  const above = dirname(path);
  if (above === path || statIfThere(above)) return above;
  return nearestThere(above);
}

export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
