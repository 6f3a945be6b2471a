import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { randomWalk, toCsv } from '../agents/backtest/random-walk.js';
import { tempDir } from '../support/temp-dir.js';
import { hasTerminal, textInTerminal } from './in-terminal.js';
import { jobCli } from './jobs/job-cli.js';

const csv = toCsv(randomWalk(1, 260));

function priceCli(env: Record<string, string> = {}) {
  const cli = jobCli({ env });
  const file = join(cli.home, 'export.csv');
  writeFileSync(file, csv);
  return { ...cli, file, kept: (ticker: string) => join(cli.dataDir, 'prices', `${ticker}.csv`) };
}

describe('prices import', () => {
  it('keeps a checked copy, which a backtest then reads', async () => {
    const { run, file, kept } = priceCli();
    const end = await run(['prices', 'import', file, '--ticker', 'AAPL']);
    expect([end.code, end.stdout]).toEqual([0, `AAPL: 260 days, 2015-01-01 to 2015-12-30\n${kept('AAPL')}\n`]);
    expect(readFileSync(kept('AAPL'), 'utf8')).toBe(csv);
    const payload = '{"strategy": "momentum", "ticker": "AAPL", "start_date": "2015-06-01", "end_date": "2015-12-30"}';
    const backtest = await run(['submit', '--type', 'backtest', '--config', payload, '--wait', '--json']);
    expect(backtest.json().result.data).toMatchObject({ file: kept('AAPL'), rows: 260 });
  });

  it('replaces prices only with --force', async () => {
    const { run, file, kept } = priceCli();
    await run(['prices', 'import', file, '--ticker', 'X']);
    writeFileSync(file, toCsv(randomWalk(2, 40)));
    const refused = await run(['prices', 'import', file, '--ticker', 'X']);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(`already: ${kept('X')}`)]);
    expect(refused.stderr).toContain('--force');
    expect(readFileSync(kept('X'), 'utf8')).toBe(csv);
    const forced = await run(['prices', 'import', file, '--ticker', 'X', '--force', '--json']);
    expect(forced.json()).toEqual({
      ticker: 'X',
      path: kept('X'),
      rows: 40,
      skipped_rows: 0,
      first_date: '2015-01-01',
      last_date: '2015-02-25',
      adjusted: false,
    });
  });

  it.each([
    ['a path for a ticker', 'export.csv', '../x', 2, '"../x" is no ticker'],
    ['a ticker of dots', 'export.csv', '..', 2, '".." is no ticker'],
    ['a file that is not there', 'nowhere.csv', 'X', 3, 'There is no file nowhere.csv'],
    ['a ragged file', 'ragged.csv', 'X', 2, 'ragged.csv, line 3:'],
    ['a web page', 'page.csv', 'X', 2, 'it is a web page or XML, not CSV'],
  ])('refuses %s, and keeps nothing', async (_, file, ticker, code, words) => {
    const { run, home } = priceCli();
    writeFileSync(join(home, 'ragged.csv'), 'date,open,high,low,close\n2024-01-02,1,1,1,1\n2024-01-03,1\n');
    writeFileSync(join(home, 'page.csv'), '<!doctype html>');
    const end = await run(['prices', 'import', file, '--ticker', ticker], { cwd: home });
    expect([end.code, end.stdout, end.stderr]).toEqual([code, '', expect.stringContaining(words)]);
    expect((await run(['prices', 'list', '--json'])).json()).toMatchObject({ count: 0 });
  });
});

describe('prices list', () => {
  it('shows what each file holds, and what is wrong with one that no backtest can read', async () => {
    const { run, put, dataDir } = priceCli();
    const none = await run(['prices', 'list']);
    expect(none.json()).toEqual({ directory: join(dataDir, 'prices'), prices: [], count: 0 });
    put('prices/^GSPC.csv', csv);
    put('prices/BAD.csv', 'date,open\n');
    put('prices/ADJ.csv', 'date,open,high,low,close,adj close\n2024-01-02,1,1,1,1,0.5\n2024-01-03,1,1,1,1,null\n');
    put('prices/notes.txt', 'no prices');
    put('prices/.X.abc.tmp', 'left behind');
    mkdirSync(join(dataDir, 'prices', 'DIR.csv'));
    const { prices, count } = (await run(['prices', 'list', '--json'])).json();
    expect(count).toBe(4);
    expect(prices).toEqual([
      { ticker: 'ADJ', rows: 1, first_date: '2024-01-02', last_date: '2024-01-02', adjusted: true },
      { ticker: 'BAD', problem: expect.stringContaining('BAD.csv, line 1: the header has no high') },
      { ticker: 'DIR', problem: expect.stringContaining('it is not a regular file') },
      { ticker: '^GSPC', rows: 260, first_date: '2015-01-01', last_date: '2015-12-30', adjusted: false },
    ]);
    if (!hasTerminal) return;
    const text = await textInTerminal(['prices', 'list', '--data-dir', dataDir], { home: tempDir(), columns: 70 });
    expect(text).toMatch(/^TICKER {2}FROM +TO +DAYS {2}CLOSES +PROBLEM\nADJ +2024-01-02 {2}2024-01-02 +1 {2}adjusted/);
    expect(text).toMatch(/\nBAD .*…\n/);
    expect(text).toMatch(/\n\^GSPC {3}2015-01-01 {2}2015-12-30 {3}260/);
  });
});

describe('prices fetch', () => {
  const token = 'secret-token-123';
  const range = ['--from', '2015-01-01', '--to', '2015-12-31'];

  /** A provider on this machine, and the program set up to ask it. */
  async function withProvider(answer: { status?: number; type?: string; body: string }) {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'text/csv' }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const url = `${origin}/{ticker}?from={start}&to={end}&token={env:PRICE_TOKEN}`;
    return { ...priceCli({ AGENT_RUNTIME_PRICES_URL: url, PRICE_TOKEN: token }), requests };
  }

  it('downloads, checks and keeps the prices of one ticker', async () => {
    const { run, requests, kept } = await withProvider({ body: csv });
    const end = await run(['prices', 'fetch', '--ticker', 'AAPL', ...range]);
    expect([end.code, end.stdout]).toEqual([0, `AAPL: 260 days, 2015-01-01 to 2015-12-30\n${kept('AAPL')}\n`]);
    expect(requests).toEqual([`/AAPL?from=2015-01-01&to=2015-12-31&token=${token}`]);
    expect((await run(['prices', 'fetch', '--ticker', 'AAPL', ...range])).code).toBe(4);
    expect(requests).toHaveLength(1);
    expect((await run(['prices', 'fetch', '--ticker', 'AAPL', ...range, '--force'])).code).toBe(0);
  });

  it.each([
    ['a web page', { type: 'text/html', body: '<html>' }, 'not CSV'],
    ['a refusal', { status: 403, body: `token ${token} is wrong` }, 'its status is 403'],
    ['prices that are none', { body: 'date,open,high,low,close\n2024-01-02,1,2,1,0\n' }, 'line 2: close is 0'],
  ])('keeps nothing of %s, and shows no token', async (_, answer, words) => {
    const { run } = await withProvider(answer);
    const end = await run(['prices', 'fetch', '--ticker', 'X', ...range, '--verbose']);
    expect([end.code, end.stdout, end.stderr]).toEqual([1, '', expect.stringContaining(words)]);
    expect(end.stderr).not.toContain(token);
    expect((await run(['prices', 'list', '--json'])).json().count).toBe(0);
  });

  it.each([
    ['a path for a ticker', ['--ticker', '../x', ...range], '"../x" is no ticker'],
    ['no date', ['--ticker', 'X', '--from', '2015-02-30', '--to', '2015-12-31'], '"2015-02-30" is not a date'],
    ['days in the wrong order', ['--ticker', 'X', '--from', '2016-01-01', '--to', '2015-12-31'], 'is before the first'],
  ])('sends no request for %s', async (_, args, words) => {
    const { run, requests } = await withProvider({ body: csv });
    const end = await run(['prices', 'fetch', ...args]);
    expect([end.code, end.stderr]).toEqual([2, expect.stringContaining(words)]);
    expect(requests).toEqual([]);
  });

  it('says what to set when no provider is configured', async () => {
    const { run } = priceCli();
    const end = await run(['prices', 'fetch', '--ticker', 'X', ...range]);
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('AGENT_RUNTIME_PRICES_URL is not set')]);
    expect(end.stderr).toContain('prices import FILE');
  });
});
