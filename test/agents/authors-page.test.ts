import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ConfigFile } from '../../src/base/config-file.js';
import { runCli } from '../cli/run-cli.js';
import { readmeBlocks } from '../library/consumer.js';
import { tempDir } from '../support/temp-dir.js';
import { homeWithModules } from './modules/workshop.js';

const page = 'docs/your-own-agents.md';

it("the commands at the beginning of the authors' page do what it says", async () => {
  const [commands = ''] = readmeBlocks(page, 'Begin', 'sh');
  const home = tempDir();
  const lines = commands.split('\n').map((line) => line.replace(/ +#.*$/, ''));
  const ours = lines.filter((line) => line.startsWith('agent-runtime '));
  expect(ours).toHaveLength(3);
  for (const line of ours) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const ended = await runCli(words.slice(1), { home });
    expect([line, ended.code, ended.stderr]).toEqual([line, 0, expect.any(String)]);
  }
});

it("the module of the authors' page works with the config file of that page", async () => {
  const [module = ''] = readmeBlocks(page, 'A module', 'ts');
  const [config = ''] = readmeBlocks(page, 'In the config file', 'json');
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.statusCode = request.url === '/none' ? 404 : 200;
    response.end('a bb ccc dddd');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const home = homeWithModules({ 'agents/report.ts': module }, JSON.parse(config) as ConfigFile);
  writeFileSync(join(home, '.claude', 'secrets.env'), 'REPORT_TOKEN=the-token-of-the-page\n', { mode: 0o600 });
  const submit = (payload: object) =>
    runCli(['submit', '--type', 'report', '--payload', JSON.stringify(payload), '--wait', '--json'], { home });

  expect((await submit({ url: address, least: 2 })).json()).toMatchObject({
    status: 'completed',
    result: { words: 3 },
  });
  expect((await submit({ url: `${address}/none` })).json()).toMatchObject({
    status: 'failed',
    error: { code: 'refused', message: 'The server said 404.' },
  });
  expect(seen).toEqual(['Bearer the-token-of-the-page', 'Bearer the-token-of-the-page']);
  expect((await submit({ url: 'nowhere' })).code).toBe(2);
});
