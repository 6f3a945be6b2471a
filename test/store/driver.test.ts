import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildChild, startChild } from '../support/child.js';
import { tempDir } from '../support/temp-dir.js';

/** Runs a program that opens a database from a directory where npm has installed `driver`, or no driver at all. */
async function openWith(driver?: string) {
  const built = await buildChild(fileURLToPath(new URL('children/open-once.ts', import.meta.url)));
  const home = tempDir();
  const program = join(home, 'program');
  cpSync(dirname(built), program, { recursive: true });
  if (driver !== undefined) {
    const installed = join(home, 'node_modules', 'better-sqlite3');
    mkdirSync(installed, { recursive: true });
    writeFileSync(
      join(installed, 'package.json'),
      '{ "name": "better-sqlite3", "version": "12.11.1", "main": "index.js" }',
    );
    writeFileSync(join(installed, 'index.js'), driver);
  }
  const { stdout } = await startChild(join(program, basename(built)), [join(home, 'x.db')]).ended;
  return { home, reply: JSON.parse(stdout) };
}

test('a driver that was not compiled is reported with the command that compiles it where it is', async () => {
  const { home, reply } = await openWith(
    "module.exports = class { constructor() { throw new Error('Could not locate the bindings file. Tried:\\n → a\\n → b'); } };",
  );
  expect(reply).toEqual({
    code: 'unavailable',
    message: `The SQLite driver does not load on Node ${process.version}: Could not locate the bindings file. Tried:`,
    hint: `Run: cd "${home}" && npm rebuild better-sqlite3 --allow-scripts=better-sqlite3`,
  });
});

test('a driver compiled for another Node is reported likewise', async () => {
  const { home, reply } = await openWith(
    "throw Object.assign(new Error('The module was compiled against a different Node.js version'), { code: 'ERR_DLOPEN_FAILED' });",
  );
  expect(reply).toEqual({
    code: 'unavailable',
    message: expect.stringContaining('The module was compiled against a different Node.js version'),
    hint: `Run: cd "${home}" && npm rebuild better-sqlite3 --allow-scripts=better-sqlite3`,
  });
});

test('a missing driver is reported with the command that installs it', async () => {
  const { reply } = await openWith();
  expect(reply).toEqual({
    code: 'unavailable',
    message: expect.stringContaining("Cannot find package 'better-sqlite3'"),
    hint: 'Run: npm install --global agent-runtime-mcp --allow-scripts=better-sqlite3',
  });
});
