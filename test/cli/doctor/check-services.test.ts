import { expect, it } from 'vitest';
import { checkSearch } from '../../../src/cli/doctor/check-services.js';
import { readConfig } from '../../../src/config.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const check = (env: Record<string, string>) => checkSearch(readConfig({}, { HOME: '/nonexistent', ...env }))[0];

it('no search service is no problem, and doctor says how to set one up', () => {
  expect(check({})).toMatchObject({ status: 'ok', fix: expect.stringMatching(/SEARXNG_URL.*BRAVE.*TAVILY/s) });
});

it('names the service that answers, without its key', () => {
  const found = check({ TAVILY_API_KEY: 'tvly-0123456789', BRAVE_API_KEY: 'b0123456789' });
  expect(found).toMatchObject({
    status: 'ok',
    detail: 'asks Brave Search (BRAVE_API_KEY is set), and if it fails Tavily (TAVILY_API_KEY is set)',
  });
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
