import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrations } from '../../../src/store/migrate.js';
import { tempDir } from '../../support/temp-dir.js';
import { openStore } from '../open-store.js';
import { putLegacyFile } from './legacy-file.js';
import { withNextVersion } from './next-version.js';
import { startTalking, type TalkingChild } from './talk.js';

interface Report {
  ms?: number;
  goals?: { count: number };
  error?: string;
}

async function startOpeners(count: number, ...args: string[]): Promise<TalkingChild[]> {
  const children = await Promise.all(Array.from({ length: count }, () => startTalking('open', args)));
  for (const child of children) await child.nextLine();
  return children;
}

/** Has all of them open the file at the same instant; resolves to how that went for each. */
async function openAtOnce(children: readonly TalkingChild[], file: string): Promise<Report[]> {
  const instant = Date.now() + 100;
  for (const child of children) child.tell(`${instant} ${file}`);
  return Promise.all(children.map(async (child) => JSON.parse(await child.nextLine()) as Report));
}

async function stateOf(file: string, steps = migrations) {
  const db = await openStore({ file, steps });
  const tables = await db.all<{ name: string }>("select name from sqlite_master where type = 'table'");
  const version = await db.get<{ user_version: number }>('select user_version from pragma_user_version');
  const problem = await db.check();
  return { tables: tables.map(({ name }) => name).sort(), version: version?.user_version, problem };
}

const backupsOf = (file: string) => (existsSync(`${file}.backups`) ? readdirSync(`${file}.backups`) : []);

test('20 processes that start at the same instant without a database all get the same one', async () => {
  const lone = await stateOf(join(tempDir(), 'lone.db'));
  const directory = tempDir();
  const children = await startOpeners(20);
  for (let round = 0; round < 5; round++) {
    const file = join(directory, `round-${round}`, 'agent_runtime.db');
    const reports = await openAtOnce(children, file);
    expect(reports.filter(({ goals }) => goals?.count !== 0)).toEqual([]);
    expect(await stateOf(file)).toEqual(lone);
    expect(backupsOf(file)).toEqual([]);
  }
});

test('20 processes that start at the same instant on the database of the earlier server adopt it once', async () => {
  const directory = tempDir();
  const children = await startOpeners(20);
  for (let round = 0; round < 3; round++) {
    const file = join(directory, `round-${round}`, 'agent_runtime.db');
    putLegacyFile(file);
    const reports = await openAtOnce(children, file);
    expect(reports.filter(({ goals }) => goals?.count !== 3)).toEqual([]);
    expect(await stateOf(file)).toMatchObject({ version: migrations.length, problem: undefined });
    expect(backupsOf(file)).toEqual([expect.stringMatching(/-before-adoption\.db$/)]);
  }
});

test('8 processes of a new version that start at the same instant on a full database migrate it once', async () => {
  const file = join(tempDir(), 'state', 'agent_runtime.db');
  putLegacyFile(file);
  const before = await openStore({ file, steps: migrations });
  before.close();
  const reports = await openAtOnce(await startOpeners(8, 'next-version'), file);
  expect(reports.filter(({ goals }) => goals?.count !== 3)).toEqual([]);
  expect(await stateOf(file, withNextVersion)).toMatchObject({ version: migrations.length + 1, problem: undefined });
  expect(backupsOf(file)).toEqual([expect.stringMatching(new RegExp(`-v${migrations.length}\\.db$`))]);
});
