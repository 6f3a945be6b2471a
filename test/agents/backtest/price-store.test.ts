import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadPrices, savePriceFile } from '../../../src/agents/backtest/price-store.js';
import { randomWalk, toCsv } from './random-walk.js';
import { createWorkspace, type Workspace } from './workspace.js';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await createWorkspace();
});
afterEach(() => workspace.remove());

const payload = { strategy: 'momentum', ticker: 'X', start_date: '2015-03-01', end_date: '2015-10-01' };

it('names the missing file, what it must hold and how to get it', async () => {
  const message =
    `There are no prices for X: ${join(workspace.dataDir, 'prices', 'X.csv')} does not exist. Put a CSV file there ` +
    'whose header names date, open, high, low, close[, adj close][, volume], with daily rows from 2015-03-01 to ' +
    '2015-10-01 (and older ones for the indicators to warm up), or run "agent-runtime prices import FILE --ticker X", ' +
    'or set AGENT_RUNTIME_PRICES_URL.';
  await expect(workspace.run(payload)).rejects.toMatchObject({
    code: 'PRICE_DATA_NOT_FOUND',
    isTransient: false,
    message,
  });
});

it('says what the file has when the range has fewer than two bars', async () => {
  const path = await workspace.writePrices('X', randomWalk(1, 260));
  const empty = (start_date: string, end_date: string) => workspace.run({ ...payload, start_date, end_date });
  await expect(empty('2020-01-01', '2021-01-01')).rejects.toMatchObject({
    code: 'PRICE_RANGE_EMPTY',
    message: `From 2020-01-01 to 2021-01-01 there are 0 bars; a backtest needs at least 2. ${path} has 2015-01-01 to 2015-12-30.`,
  });
  await expect(empty('2010-01-01', '2011-01-01')).rejects.toThrowError('there are 0 bars');
  await expect(empty('2015-01-02', '2015-01-04')).rejects.toThrowError('there is 1 bar;');
  await expect(empty('2015-01-03', '2015-01-04')).rejects.toThrowError('there are 0 bars');
});

it('says so when the two legs of a pair have no days in common', async () => {
  await workspace.writePrices('A', randomWalk(1, 10));
  await workspace.writePrices('B', randomWalk(1, 30).slice(10));
  const pair = { ...payload, strategy: 'arbitrage', ticker: 'A,B', start_date: '2015-01-01' };
  await expect(workspace.run(pair)).rejects.toMatchObject({
    code: 'PRICE_RANGE_EMPTY',
    message: expect.stringMatching(
      /both tickers have prices \(0 common days in all\).*A\.csv has 2015-01-01.*B\.csv has/,
    ),
  });
});

it('names the line of a ragged file', async () => {
  const path = await workspace.writePrices('X', `${toCsv(randomWalk(1, 20))}2016-01-01,1,2\n`);
  await expect(workspace.run(payload)).rejects.toMatchObject({
    code: 'PRICE_FILE_INVALID',
    message: expect.stringContaining(`${path}, line 22:`),
  });
});

it('reads no price file through a link out of the prices directory', async () => {
  await workspace.writePrices('Y', 'unused');
  await writeFile(join(workspace.dataDir, 'outside.csv'), toCsv(randomWalk(1, 260)));
  await symlink(join(workspace.dataDir, 'outside.csv'), join(workspace.dataDir, 'prices', 'X.csv'));
  await expect(workspace.run(payload)).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
});

it('reads no price file over 16 MiB, no directory, and nothing but UTF-8', async () => {
  const path = await workspace.writePrices('X', '');
  await truncate(path, 16 * 1024 * 1024 + 1);
  await expect(workspace.run(payload)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  await mkdir(join(workspace.dataDir, 'prices', 'D.csv'));
  await expect(workspace.run({ ...payload, ticker: 'D' })).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
  await writeFile(path, Buffer.from(`\uFEFF${toCsv(randomWalk(1, 20))}`, 'utf16le'));
  await expect(workspace.run(payload)).rejects.toMatchObject({
    code: 'PRICE_FILE_INVALID',
    message: expect.stringContaining('UTF-8'),
  });
});

it('refuses a ticker that is another path, even without the payload schema', async () => {
  const request = {
    dataDir: workspace.dataDir,
    adjusted: true,
    startDate: '2015-01-01',
    endDate: '2015-12-31',
    downloadFrom: '2015-01-01',
    download: undefined,
    signal: workspace.controller.signal,
  };
  for (const ticker of ['../x', 'a/b', '..', 'x\0']) {
    await expect(loadPrices({ ...request, ticker })).rejects.toMatchObject({ code: 'TICKER_INVALID' });
    await expect(savePriceFile(workspace.dataDir, ticker, Buffer.from(''))).rejects.toMatchObject({
      code: 'TICKER_INVALID',
    });
  }
});

it('reads a file of 50,000 rows', async () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => {
    const date = new Date(Date.UTC(1870, 0, 1 + i)).toISOString().slice(0, 10);
    return `${date},1.5,2.5,1.25,2`;
  });
  const path = await workspace.writePrices('X', ['date,open,high,low,close', ...rows].join('\n'));
  const result = await workspace.run({ ...payload, start_date: '1990-01-01', end_date: '1991-01-01' });
  expect(result.data).toMatchObject({ rows: 50_000 });
  expect((await readFile(path, 'utf8')).length).toBeGreaterThan(1_000_000);
});
