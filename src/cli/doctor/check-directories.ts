import { accessSync, constants, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../base/config.js';
import { systemCode } from '../../base/network-error.js';
import { sharedDiskOf } from '../../store/sqlite/prepare-file.js';
import { type Check, checksOf } from './check.js';

const { ok, warn, fail } = checksOf('Directories');

/** Whether the directories of the database and of other data exist, or can be created, and can be written to. */
export function checkDirectories({ dbPath, dataDir }: Config): Check[] {
  return [
    checkDirectory('database', dirname(dbPath), 'AGENT_RUNTIME_DB_PATH'),
    checkDirectory('data', dataDir, 'AGENT_RUNTIME_DATA_DIR'),
  ];
}

function checkDirectory(name: string, path: string, variable: string): Check {
  const fix = `Make it writable, or set ${variable} to another place.`;
  const found = statOrUndefined(path);
  if (found && !found.isDirectory()) return fail(name, `${path} is not a directory`, fix);
  const nearest = found ? path : nearestAncestor(path);
  if (!statOrUndefined(nearest)?.isDirectory()) return fail(name, `${nearest} is not a directory`, fix);
  if (!isWritable(nearest)) return fail(name, `${nearest} cannot be written to`, fix);
  const disk = sharedDiskOf(statfsSync(nearest).type);
  if (disk) return warn(name, `${nearest} is on a network disk (${disk}), which several hosts must not share`, fix);
  return ok(name, found ? path : `${path} will be created on first use`);
}

/** The nearest directory above that exists. */
function nearestAncestor(path: string): string {
  const above = dirname(path);
  if (above === path || statOrUndefined(above)) return above;
  return nearestAncestor(above);
}

export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The stats of a path; undefined if it does not exist, also because something above it is a file. */
export function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
