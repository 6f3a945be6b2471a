import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RuntimeError } from '../../src/base/errors.js';
import { importPrices } from '../../src/services/import-prices.js';
import { randomWalk, toCsv } from '../agents/backtest/random-walk.js';
import { createWorkspace, type Workspace } from '../agents/backtest/workspace.js';

let workspace: Workspace;
let file: string;
let dataDir: string;
beforeEach(async () => {
  workspace = await createWorkspace();
  file = join(workspace.dataDir, 'export.csv');
  dataDir = join(workspace.dataDir, 'data');
  await writeFile(file, toCsv(randomWalk(1, 30)));
});
afterEach(() => workspace.remove());

it('keeps a checked copy under the ticker, for its owner alone', async () => {
  const path = join(dataDir, 'prices', 'BRK.B.csv');
  expect(await importPrices({ file, ticker: 'BRK.B', dataDir, mayReplace: true })).toEqual({
    ticker: 'BRK.B',
    path,
    rows: 30,
    skipped_rows: 0,
    first_date: '2015-01-01',
    last_date: '2015-02-11',
    adjusted: false,
  });
  expect(await readFile(path, 'utf8')).toBe(await readFile(file, 'utf8'));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(dataDir, 'prices'))).mode & 0o777).toBe(0o700);
  expect(await readdir(join(dataDir, 'prices'))).toEqual(['BRK.B.csv']);
});

it('replaces a file, but not by one that fails the check', async () => {
  await importPrices({ file, ticker: 'X', dataDir, mayReplace: true });
  await writeFile(file, toCsv(randomWalk(2, 40)));
  expect(await importPrices({ file, ticker: 'X', dataDir, mayReplace: true })).toMatchObject({ rows: 40 });
  await writeFile(file, 'date,open,high,low,close\n2024-01-02,1,2,1,0\n');
  await expect(importPrices({ file, ticker: 'X', dataDir, mayReplace: true })).rejects.toMatchObject({
    code: 'invalid',
    message: `${file}, line 2: close is 0; a price must be above 0.`,
  });
  expect(await readFile(join(dataDir, 'prices', 'X.csv'), 'utf8')).toBe(toCsv(randomWalk(2, 40)));
});

it.each([
  ['a bad ticker', { ticker: '../x' }, 'invalid', '"../x" is no ticker.'],
  ['a file that is not there', { file: '/nowhere/x.csv' }, 'not_found', 'There is no file /nowhere/x.csv.'],
  ['a directory', { file: '/tmp' }, 'invalid', 'it is not a regular file'],
  ['a device', { file: '/dev/zero' }, 'invalid', 'it is not a regular file'],
])('refuses %s', async (_, change, code, words) => {
  const attempt = importPrices({ file, ticker: 'X', dataDir, mayReplace: true, ...change });
  await expect(attempt).rejects.toBeInstanceOf(RuntimeError);
  await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('leaves no temporary file behind when the name is taken by a directory', async () => {
  await mkdir(join(dataDir, 'prices', 'X.csv'), { recursive: true });
  await expect(importPrices({ file, ticker: 'X', dataDir, mayReplace: true })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`cannot be written to ${join(dataDir, 'prices', 'X.csv')}: `),
  });
  expect(await readdir(join(dataDir, 'prices'))).toEqual(['X.csv']);
});
