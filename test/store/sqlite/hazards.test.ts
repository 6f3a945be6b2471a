import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../support/paths.js';

/**
 * Closing any descriptor of the database, its -wal or its -shm drops the locks that SQLite has on it in this process,
 * and rows are lost (sqlite.org/howtocorrupt.html 2.2; seen in experiments). So no code may open one but SQLite.
 */
const opening =
  /(?<!\bget )\b(?:open|openSync|openAsBlob|readFile|readFileSync|writeFile|writeFileSync|appendFile|appendFileSync|copyFile|copyFileSync|cp|cpSync|createReadStream|createWriteStream|truncate|truncateSync)\s*\(([^;]*)/g;
/** How the program calls these files. */
const databaseFile = /\bdbPath\b|\blocation\b|databasePath|agent_runtime\.db|-wal\b|-shm\b/;

const source = join(projectRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(source, name), 'utf8') }));

function callsThatOpen(text: string): string[] {
  return [...text.matchAll(opening)].map(([call]) => call.replaceAll(/\s+/g, ' ').trim());
}

test('outside of the store, nothing opens, reads or copies the database by its path', () => {
  const found = files
    .filter(({ name }) => !name.startsWith('store/'))
    .flatMap(({ name, text }) =>
      callsThatOpen(text)
        .filter((call) => databaseFile.test(call))
        .map((call) => `${name}: ${call}`),
    );
  expect(found).toEqual([]);
});

test('the store opens only files that SQLite does not have open in this process, and the -wal', () => {
  const found = files
    // PostgreSQL's files are its server's.
    .filter(({ name }) => name.startsWith('store/') && !name.startsWith('store/postgres/'))
    .flatMap(({ name, text }) => callsThatOpen(text).map((call) => `${name}: ${call}`))
    // What the system says of other processes is no file of the database.
    .filter((call) => !call.includes("('/proc/") && !call.includes('(`/proc/'));
  expect(found.sort()).toEqual([
    "store/sqlite/backup.ts: openSync(unfinished, 'ax', 0o600))",
    // Of a file that this process has closed again.
    "store/sqlite/move.ts: openSync(file, 'r+')",
    // Of a file that this process has not opened yet.
    "store/sqlite/open-read-only.ts: openSync(file, 'r')",
    "store/sqlite/prepare-file.ts: openSync(file, 'ax', 0o600))",
    "store/sqlite/process-lock.ts: openSync(file, 'ax', 0o600))",
    // Of the -wal alone, on which SQLite has no lock.
    "store/sqlite/wal-damage.ts: openSync(path, 'r')",
  ]);
});

test('no second SQLite is loaded beside the driver', () => {
  const found = files.filter(({ text }) => /from '(node:sqlite|sqlite3|libsql|sql\.js|@libsql\/[^']*)'/.test(text));
  expect(found.map(({ name }) => name)).toEqual([]);
});

test('no statement is left open across an await', () => {
  const found = files.filter(({ text }) => /\.iterate\(/.test(text));
  expect(found.map(({ name }) => name)).toEqual([]);
});

test('the check itself sees an opening', () => {
  expect(callsThatOpen('const copy = readFileSync(config.dbPath);')).toEqual(['readFileSync(config.dbPath)']);
  expect(databaseFile.test('readFileSync(config.dbPath)')).toBe(true);
  expect(databaseFile.test("copyFileSync(file + '-wal', to)")).toBe(true);
});
