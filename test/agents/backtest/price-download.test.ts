import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { downloadPrices } from '../../../src/agents/backtest/price-download.js';
import { randomWalk, toCsv } from './random-walk.js';
import { createWorkspace, type Workspace } from './workspace.js';

const csv = toCsv(randomWalk(1, 260));
const token = 'secret-token-123';
let workspace: Workspace;
let server: Server;
let origin: string;
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  workspace = await createWorkspace();
  requests = [];
  answer = (_, response) => response.writeHead(200, { 'content-type': 'text/csv' }).end(csv);
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await workspace.remove();
});

const payload = {
  strategy: 'momentum',
  ticker: '^X',
  start_date: '2015-06-01',
  end_date: '2015-10-01',
  params: { lookback: 21 },
};

function provider(path = '/{ticker}?from={start}&to={end}&token={env:TOKEN}') {
  return { urlTemplate: `${origin}${path}`, env: { TOKEN: token }, timeoutMs: 5000 };
}

function fetchDirectly(download = provider(), maxBytes = 1_000_000) {
  const dates = { startDate: '2015-06-01', endDate: '2015-10-01' };
  return downloadPrices(download, { ticker: 'X', ...dates, maxBytes, signal: workspace.controller.signal });
}

it('downloads a missing file once, from early enough to warm up, and stores it', async () => {
  const first = await workspace.run(payload, provider());
  expect(requests).toEqual([`/%5EX?from=2015-04-01&to=2015-10-01&token=${token}`]);
  const path = join(workspace.dataDir, 'prices', '^X.csv');
  expect(first.data).toMatchObject({ file: path, rows: 260 });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await workspace.run(payload, provider())).toEqual(first);
  expect(requests).toHaveLength(1);
});

it('reads the columns of Tiingo', async () => {
  answer = (_, response) =>
    response
      .writeHead(200, { 'content-type': 'text/csv' })
      .end(
        'date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n' +
          '2015-06-01,20,21,19,20,1000,10,10.5,9.5,10,2000,0,1\n2015-06-02,22,23,21,22,1000,11,11.5,10.5,11,2000,0,1\n',
      );
  const result = await workspace.run({ ...payload, initial_capital: 100, commission: 0 }, provider());
  expect(result.data).toMatchObject({ rows: 2, adjusted: true });
  expect(result.benchmark).toMatchObject({ final_equity: 110 });
});

it('a server that asks to wait is given the time it asks for before the next try', async () => {
  answer = (_, response) => response.writeHead(429, { 'retry-after': '30' }).end();
  await expect(fetchDirectly()).rejects.toMatchObject({ isTransient: true, retryAfterMs: 30_000 });
});

const html = '<!DOCTYPE html><title>One moment, please</title>';

it.each([
  ['a web page', 200, { 'content-type': 'text/html; charset=utf-8' }, html, 'it is "text/html", not CSV', false],
  ['an empty page of JSON', 200, { 'content-type': 'application/json' }, '[]', 'it is "application/json"', false],
  ['404', 404, { 'content-type': 'text/csv' }, csv, 'its status is 404', false],
  ['401 that quotes the token', 401, {}, token, 'its status is 401', false],
  ['429', 429, {}, '', 'its status is 429', true],
  ['503', 503, {}, '', 'its status is 503', true],
  ['204', 204, {}, '', 'its status is 204', false],
  [
    'a redirect to another host',
    302,
    { location: 'https://example.com/x' },
    '',
    'redirects to https://example.com',
    false,
  ],
  [
    'a redirect to metadata',
    307,
    { location: 'http://169.254.169.254/' },
    '',
    'redirects to http://169.254.169.254',
    false,
  ],
  ['a redirect with a password', 302, { location: '//u:p@HOST/' }, '', 'other hosts are not followed', false],
  ['a redirect to a file', 302, { location: 'file:///etc/passwd' }, '', 'other hosts are not followed', false],
  ['a token in the body', 200, { 'content-type': 'text/plain' }, `Error: bad ${token}`, 'it repeats a secret', false],
])('refuses %s, and stores nothing', async (_, status, headers, body, words, isTransient) => {
  const location = 'location' in headers ? { location: headers.location.replace('HOST', new URL(origin).host) } : {};
  answer = (_, response) => response.writeHead(status, { ...headers, ...location }).end(body);
  const failure = await workspace.run(payload, provider()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'PRICE_DOWNLOAD_FAILED',
    isTransient,
    message: expect.stringContaining(words),
  });
  expect(String(failure)).not.toContain(token);
  expect(existsSync(join(workspace.dataDir, 'prices'))).toBe(false);
});

it.each([
  ['a web page that calls itself CSV', html, 'it is a web page or XML, not CSV'],
  ['an error in words', 'No data', 'the header has no date'],
  ['nothing', '', 'it is empty'],
  ['a header alone', 'date,open,high,low,close\n', 'it has no row with prices'],
])('refuses %s with status 200, and stores nothing', async (_, body, words) => {
  answer = (_, response) => response.writeHead(200, { 'content-type': 'text/csv' }).end(body);
  const failure = await workspace.run(payload, provider()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'PRICE_FILE_INVALID', message: expect.stringContaining(words) });
  expect(String(failure)).toContain(`the answer of ${new URL(origin).host} for ^X`);
  expect(existsSync(join(workspace.dataDir, 'prices'))).toBe(false);
});

it('follows redirects on the same origin, but not in a circle', async () => {
  answer = (request, response) => {
    if (request.url?.startsWith('/moved')) response.writeHead(200, { 'content-type': 'text/csv' }).end(csv);
    else response.writeHead(301, { location: '/moved' }).end();
  };
  expect((await fetchDirectly()).bytes.toString()).toBe(csv);
  answer = (_, response) => response.writeHead(302, { location: '/again' }).end();
  await expect(fetchDirectly()).rejects.toThrowError('it redirects more than 3 times');
});

it('refuses a response that breaks off, and one over the limit', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/csv', 'content-length': csv.length });
    response.write(csv.slice(0, 1000), () => response.destroy());
  };
  await expect(fetchDirectly()).rejects.toMatchObject({ code: 'PRICE_DOWNLOAD_FAILED', isTransient: true });
  answer = (_, response) => response.writeHead(200, { 'content-type': 'text/csv' }).end(csv);
  await expect(fetchDirectly(provider(), 1000)).rejects.toThrowError('it has more than 1000 bytes');
});

it('times out on a server that never answers, and stops at once when cancelled', async () => {
  answer = () => {};
  await expect(fetchDirectly({ ...provider(), timeoutMs: 150 })).rejects.toMatchObject({
    code: 'PRICE_DOWNLOAD_FAILED',
    isTransient: true,
    message: expect.stringContaining('it took more than 150 ms'),
  });
  // Headers, and then nothing.
  answer = (_, response) => response.writeHead(200, { 'content-type': 'text/csv' }).write('date,');
  await expect(fetchDirectly({ ...provider(), timeoutMs: 150 })).rejects.toThrowError('it took more than 150 ms');
  const reason = new Error('cancelled');
  answer = () => workspace.controller.abort(reason);
  await expect(workspace.run(payload, provider())).rejects.toBe(reason);
  expect(await readdir(workspace.dataDir)).toEqual([]);
});

it('names the network error when no server listens', async () => {
  const closed = { ...provider(), urlTemplate: 'http://127.0.0.1:9/{ticker}' };
  await expect(fetchDirectly(closed)).rejects.toMatchObject({ code: 'PRICE_DOWNLOAD_FAILED', isTransient: true });
});

it.each([
  ['http://example.com/{ticker}', 'http is allowed on this machine only; example.com needs https'],
  ['http://169.254.169.254/{ticker}', 'http is allowed on this machine only'],
  ['http://127.0.0.1.evil.example/{ticker}', 'http is allowed on this machine only'],
  ['file:///etc/{ticker}', 'it must start with https://HOST/'],
  ['https://{ticker}.example.com/', 'HOST may hold no {placeholder}'],
  ['https://user:password@example.com/{ticker}', 'no user name'],
  ['https://exa mple.com/{ticker}', 'it must start with'],
  ['https://[bad/{ticker}', 'it is no valid URL'],
  ['https://example.com/{symbol}', '{symbol} is unknown; use {ticker}, {start}, {end} and {env:NAME}'],
  ['https://example.com/{ticker}?token={env:MISSING}', 'the environment variable MISSING is not set'],
  ['https://example.com/{constructor}', '{constructor} is unknown'],
  ['https://example.com/{env:constructor}', 'constructor is not set'],
])('refuses the template %s', async (urlTemplate, words) => {
  await expect(fetchDirectly({ ...provider(), urlTemplate })).rejects.toMatchObject({
    code: 'PRICES_URL_INVALID',
    message: expect.stringContaining(words),
  });
  expect(requests).toEqual([]);
});
