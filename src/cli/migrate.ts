import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import { findLiveProcesses } from '../core/overview/sessions.js';
import { systemProcesses } from '../runner/identity.js';
import { type MoveSource, type MoveTarget, moveDatabase } from '../store/move.js';
import { programAddress } from '../store/postgres/address.js';
import { inUse } from './database.js';
import type { CommandContext } from './define-command.js';
import { printTable } from './table.js';
import { type Setting, settingOf } from './with-runtime.js';

export interface MigrateOptions {
  /** An address or a file, as it was typed. */
  to: string;
  startsOver: boolean;
  isForced: boolean;
}

/** Copies the database to the other engine. The source stays as it is, and settings do not change. */
export async function runMigrate(
  { to, startsOver, isForced }: MigrateOptions,
  { flags, output }: CommandContext,
): Promise<void> {
  const setting = settingOf(flags);
  const url = readAddress(to, setting.config);
  const source = await openSource(setting.config);
  try {
    const live = await findLiveProcesses(source, systemProcesses(systemClock().bootId));
    if (live.length > 0 && !isForced) {
      throw inUse(source.location, live, 'End them first, or pass --force: what they change from now on is not moved.');
    }
    const target = await openTarget(url ?? resolve(to), url !== undefined, source.location, startsOver, setting);
    try {
      const tables = await moveDatabase(source, target, (table) => {
        if (!flags.isQuiet) output.say(table);
      });
      const { location, isWhole } = target;
      const files = filesBeside(setting.config.dataDir);
      if (flags.isJson) {
        output.printJson({ from: source.location, to: location, was_there: isWhole, tables, files });
        return;
      }
      const filled = tables.filter(({ rows }) => rows > 0);
      printTable(
        output,
        [
          { title: 'table', value: ({ table }) => table },
          { title: 'rows', value: ({ rows }) => String(rows), isNumber: true },
        ],
        filled,
      );
      output.print(
        `${location} ${isWhole ? 'holds already' : 'now holds'} the ${sum(tables)} rows of ${source.location}; each was compared.`,
      );
      for (const line of whatIsNext(url, location, files)) output.print(line);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const sum = (tables: readonly { rows: number }[]): number => tables.reduce((all, { rows }) => all + rows, 0);

function passwordOf(to: string): string {
  try {
    return programAddress(to).password;
  } catch {
    throw new RuntimeError(
      'invalid',
      'The address of --to cannot be read.',
      'Write postgres://user@host:5432/database.',
    );
  }
}

/** The address of a server; undefined for a file. Throws `invalid` for what cannot be meant. */
function readAddress(to: string, { dbUrl }: Config): string | undefined {
  const isServer = /^postgres(ql)?:/i.test(to);
  if (isServer === (dbUrl !== undefined)) {
    throw new RuntimeError(
      'invalid',
      `Both databases would be ${isServer ? 'on PostgreSQL servers' : 'SQLite files'}; migrate changes from one engine to the other.`,
      isServer ? 'Use `agent-runtime backup` here and `restore` there.' : 'Use `agent-runtime backup FILE`.',
    );
  }
  if (!isServer) return undefined;
  if (passwordOf(to) !== '') {
    throw new RuntimeError(
      'invalid',
      'The address of --to holds a password, and other users of this machine can see it in the list of processes.',
      'Leave it out, and give it by PGPASSWORD or PGPASSFILE.',
    );
  }
  return to;
}

async function openSource({ dbUrl, dbPath }: Config): Promise<MoveSource> {
  if (dbUrl !== undefined) return (await import('../store/postgres/move.js')).openPostgresSource(dbUrl);
  return (await import('../store/sqlite/move.js')).openSqliteSource(dbPath);
}

async function openTarget(
  place: string,
  isServer: boolean,
  source: string,
  startsOver: boolean,
  { log }: Setting,
): Promise<MoveTarget> {
  if (isServer) {
    const { openPostgresTarget } = await import('../store/postgres/move.js');
    return openPostgresTarget({ url: place, source, startsOver });
  }
  const { openSqliteTarget } = await import('../store/sqlite/move.js');
  return openSqliteTarget({ file: place, source, startsOver, now: Date.now(), log });
}

interface Files {
  directory: string;
  files: number;
  bytes: number;
}

/** What is not in a database of either engine; whatever comes to be stored in one leaves this list. */
const fileFolders = ['artifacts', 'datasets', 'prices', 'logs'];

function filesBeside(dataDir: string): Files[] {
  return fileFolders.flatMap((name) => {
    const directory = join(dataDir, name);
    if (!existsSync(directory)) return [];
    const found = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((path) => statSync(join(directory, path), { throwIfNoEntry: false }))
      .filter((stats) => stats?.isFile());
    return found.length === 0
      ? []
      : [{ directory, files: found.length, bytes: found.reduce((all, stats) => all + (stats?.size ?? 0), 0) }];
  });
}

function whatIsNext(url: string | undefined, location: string, files: readonly Files[]): string[] {
  return [
    ...(files.length === 0
      ? []
      : [
          'Files are not moved; where they are, this host still finds them, and other hosts do not:',
          ...files.map(({ directory, files: count, bytes }) => `  ${directory}  ${count} files, ${bytes} bytes`),
        ]),
    url === undefined
      ? `To use it: unset AGENT_RUNTIME_DB_URL, and set AGENT_RUNTIME_DB_PATH=${location}`
      : `To use it: set AGENT_RUNTIME_DB_URL=${location}`,
  ];
}
