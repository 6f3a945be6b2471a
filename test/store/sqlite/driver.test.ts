import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadDriver } from '../../../src/store/sqlite/driver.js';
import { buildChild, startChild } from '../../support/child.js';
import { tempDir } from '../../support/temp-dir.js';

const napi = Number(process.versions.napi);
const hasOwnSqlite = process.getBuiltinModule?.('node:sqlite') !== undefined;

/** Runs a program that opens a database from a directory where npm has installed these packages, each by its code. */
async function openWith(packages: Record<string, string>) {
  const built = await buildChild(fileURLToPath(new URL('children/open-once.ts', import.meta.url)));
  const home = tempDir();
  const program = join(home, 'program');
  cpSync(dirname(built), program, { recursive: true });
  for (const [name, code] of Object.entries(packages)) {
    const installed = join(home, 'node_modules', name);
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    writeFileSync(join(installed, 'index.js'), code);
  }
  const { stdout } = await startChild(join(program, basename(built)), [join(home, 'x.db')]).ended;
  return JSON.parse(stdout);
}

const brokenPackages = {
  'better-sqlite3':
    "module.exports = class { constructor() { throw new Error('Could not locate the bindings file. Tried:\\n → a'); } };",
  '@photostructure/sqlite': "throw new Error('No native build was found for platform=sunos\\n    loaded from: /x');",
};

test('the first driver is better-sqlite3 where it loads, and the one that comes along elsewhere', async () => {
  expect((await loadDriver()).name).toBe(napi >= 10 ? 'better-sqlite3' : '@photostructure/sqlite');
});

test.runIf(hasOwnSqlite)("where neither package loads, Node's own driver opens the database", async () => {
  expect(await openWith({})).toEqual({});
  expect(await openWith(brokenPackages)).toEqual({});
});

test.runIf(!hasOwnSqlite)('where no driver loads, each is named with the first line of its reason', async () => {
  expect(await openWith(brokenPackages)).toEqual({
    code: 'unavailable',
    message:
      `No SQLite driver loads on Node ${process.version} (${process.platform}-${process.arch}): ` +
      '@photostructure/sqlite: No native build was found for platform=sunos; ' +
      'node:sqlite: No such built-in module: node:sqlite',
    hint:
      'Install it again: npm install --global agent-runtime-mcp. It brings a driver for Linux, macOS and Windows on x64 and ' +
      'arm64; elsewhere use Node 24, which has one of its own.',
  });
});

test.runIf(!hasOwnSqlite)('a package that is missing is reported likewise', async () => {
  expect(await openWith({})).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining("Cannot find package '@photostructure/sqlite'"),
    hint: expect.stringContaining('npm install --global agent-runtime-mcp'),
  });
});

test.runIf(napi < 10)('below N-API 10, better-sqlite3 is not imported: it would end the process', async () => {
  const ends = { ...brokenPackages, 'better-sqlite3': 'process.exit(139);' };
  expect(await openWith(ends)).toMatchObject({ code: 'unavailable' });
});
