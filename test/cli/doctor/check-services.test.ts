// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholder.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkSearch } from '../../../src/cli/doctor/check-services.js';
import { readConfig } from '../../../src/config.js';
import { odd } from '../../downstream/tool-runtime.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const check = (env: Record<string, string>) => checkSearch(readConfig({}, { HOME: '/nonexistent', ...env }))[0];

it('no search service is no problem, and doctor says how to set one up', () => {
  expect(check({})).toMatchObject({ status: 'ok', fix: expect.stringMatching(/SEARXNG_URL.*BRAVE.*TAVILY/s) });
});

it('names the service that answers, without its key', () => {
  const found = check({ TAVILY_API_KEY: 'tvly-0123456789', BRAVE_API_KEY: 'b0123456789' });
  expect(found).toMatchObject({ status: 'ok', detail: 'asks Brave Search (BRAVE_API_KEY is set)' });
});

it('warns if the chosen back end is not set up', () => {
  expect(check({ AGENT_RUNTIME_SEARCH_BACKEND: 'tavily' })).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining('TAVILY_API_KEY is not set'),
  });
});

it('an invalid setting is a finding, and the rest is still checked', async () => {
  const env = { AGENT_RUNTIME_SEARCH_BACKEND: 'google', BRAVE_API_KEY: 'b0123456789' };
  const { code, json, stdout } = await runCli(['doctor', '--json'], { home: tempDir(), env });
  const { checks } = json() as { checks: { group: string; name: string; status: string; detail: string }[] };
  expect(code).toBe(1);
  expect(checks.find(({ name }) => name === 'environment')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('AGENT_RUNTIME_SEARCH_BACKEND is "google"'),
  });
  expect(checks.find(({ name }) => name === 'web_search')?.detail).toContain('Brave');
  expect(stdout).not.toContain('b0123456789');
});

it('doctor says which tool servers could not be started, and starts none', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  const mcpServers = {
    good: odd(),
    gone: { command: 'no-such-command-anywhere' },
    unset: odd({ env: { TOKEN: '${NOT_SET}' } }),
    web: { url: 'http://127.0.0.1:9/mcp?key=secret' },
  };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  const { json, stdout } = await runCli(['doctor', '--json'], { home });
  const checks = json().checks.filter(({ group }: { group: string }) => group === 'Tool servers');
  expect(checks.map(({ name, status }: { name: string; status: string }) => [name, status])).toEqual([
    ['good', 'ok'],
    ['gone', 'warn'],
    ['unset', 'warn'],
    ['web', 'ok'],
  ]);
  expect(checks[2].detail).toContain('NOT_SET');
  expect(stdout).not.toContain('secret');
});
