import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { environmentWithout } from '../../base/environment.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { makePrivateDirectory } from '../../base/private-files.js';
import { programAddress } from './address.js';

const run = promisify(execFile);

export interface DumpedDatabase {
  url: string;
  location: string;
  /** The server's major version: an older program does not understand it. */
  major: number;
}

/**
 * Writes a consistent copy in the server's own format by `pg_dump`, private to its owner. Throws `conflict` if the path is
 * taken, `not_configured` if no `pg_dump` of the server's version is here, `unavailable` if it fails.
 */
export async function dumpInto(path: string, database: DumpedDatabase): Promise<void> {
  if (existsSync(path)) throw new RuntimeError('conflict', `The file ${path} exists already.`, 'Choose another path.');
  makePrivateDirectory(dirname(path));
  const unfinished = `${path}.${process.pid}.part`;
  try {
    await runProgram(
      'pg_dump',
      ['--format=custom', '--no-owner', '--no-unlogged-table-data', `--file=${unfinished}`],
      database,
    );
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Replaces the contents of a database by those of a copy, in one transaction. Throws as `dumpInto` does. */
export async function restoreDump(path: string, database: DumpedDatabase): Promise<void> {
  await runProgram(
    'pg_restore',
    ['--clean', '--if-exists', '--no-owner', '--single-transaction', '--exit-on-error', path],
    database,
  );
}

async function runProgram(
  name: string,
  args: readonly string[],
  { url, location, major }: DumpedDatabase,
): Promise<void> {
  const { address, password } = programAddress(url);
  const program = await findProgram(name, major);
  if (program === undefined) {
    throw new RuntimeError(
      'not_configured',
      `${name} ${major} or newer, which ${location} needs for its backups, is not on this host.`,
      `Install the PostgreSQL client of version ${major}, or run where it is: ${name} ${args.join(' ')} --dbname=${location}`,
    );
  }
  try {
    // The password is not shown to those who list processes.
    await run(program, [...args, `--dbname=${address}`], {
      env: { ...environmentWithout([]), ...(password === '' ? {} : { PGPASSWORD: password }) },
      maxBuffer: 1_000_000,
    });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : messageOf(error);
    throw new RuntimeError(
      'unavailable',
      `${name} failed for ${location}: ${said.split('\n', 3).join(' ')}`,
      'Nothing was changed. See what it says, and repeat the call.',
      { cause: error },
    );
  }
}

/** The path of a program of a version or newer; undefined if there is none. Of the PATH, and of the places where Debian keeps the versions beside each other. */
export async function findProgram(name: string, major: number): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(a) - Number(b)) : [];
  const places = [
    ...(environmentWithout([]).PATH ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  for (const program of places.map((place) => join(place, name)).filter((path) => existsSync(path))) {
    const { stdout } = await run(program, ['--version']).catch(() => ({ stdout: '' }));
    if (Number(/(\d+)/.exec(stdout)?.[1]) >= major) return program;
  }
  return undefined;
}
