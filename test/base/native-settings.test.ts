import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hideSecrets } from '../../src/base/environment.js';
import { readNativeSettings } from '../../src/base/native-settings.js';
import { createRedactor } from '../../src/base/redact.js';
import { readConfig } from '../../src/config.js';
import { tempDir } from '../support/temp-dir.js';

it('without anything set: the public addresses, no key, no backend chosen', () => {
  const settings = readNativeSettings({});
  expect(settings.arxivBaseUrl.href).toBe('https://export.arxiv.org/');
  expect(settings.brave).toEqual({ apiKey: undefined, baseUrl: new URL('https://api.search.brave.com') });
  expect(settings.tavily).toEqual({ apiKey: undefined, baseUrl: new URL('https://api.tavily.com') });
  expect([settings.searxng, settings.searchBackend, settings.contact]).toEqual([undefined, undefined, undefined]);
});

it('empty counts as unset, as a client writes a variable that it does not have', () => {
  expect(readNativeSettings({ BRAVE_API_KEY: '', SEARXNG_URL: '', AGENT_RUNTIME_SEARCH_BACKEND: '' })).toEqual(
    readNativeSettings({}),
  );
});

it.each([
  ['AGENT_RUNTIME_SEARCH_BACKEND', 'duckduckgo'],
  ['SEARXNG_URL', 'localhost:8080'],
  ['SEARXNG_URL', 'ftp://secret-host/'],
  ['SEARXNG_URL', 'http://secret-host/search?q='],
  ['SEARXNG_URL', 'http://me:%zzsecret@host/'],
  ['ARXIV_BASE_URL', 'http://me:secret@host/'],
  ['BRAVE_BASE_URL', 'http://brave.example/'],
  ['TAVILY_BASE_URL', 'http://tavily.example/'],
  ['BRAVE_API_KEY', 'secret\r\nX-Other: 1'],
  ['TAVILY_API_KEY', 'two secrets'],
  ['AGENT_RUNTIME_CONTACT', 'me@example.org\nX: 1'],
])('%s=%j is invalid, which names the variable and shows no secret', (name, value) => {
  const read = () => readNativeSettings({ [name]: value });
  expect(read).toThrow(expect.objectContaining({ code: 'invalid', message: expect.stringContaining(name) }));
  expect(read).not.toThrow('secret');
});

it('a key goes over plain http on this machine alone', () => {
  for (const url of ['http://127.0.0.1:9', 'http://localhost:9', 'http://[::1]:9', 'https://proxy.example']) {
    expect(readNativeSettings({ BRAVE_BASE_URL: url }).brave.baseUrl.origin).toBe(url);
  }
  expect(readNativeSettings({ SEARXNG_URL: 'http://nas.lan:8080' }).searxng?.url.host).toBe('nas.lan:8080');
});

it('keys and the login of SearXNG are secrets: no log shows them, and they leave the environment', () => {
  const environment = {
    HOME: tempDir(),
    BRAVE_API_KEY: 'brave-key-without-a-form',
    TAVILY_API_KEY: 'tavily-key-without-a-form',
    SEARXNG_URL: 'http://me:pass%40word99@127.0.0.1:8080',
  };
  const config = readConfig({}, environment);
  const redact = createRedactor(config.secrets);
  const login = Buffer.from('me:pass@word99').toString('base64');
  const shown = redact([...Object.values(environment).slice(1), 'pass@word99', 'pass%40word99', login].join('\n'));
  expect(shown.split('\n')).toEqual(Array(6).fill('[redacted]'));

  process.env.SEARXNG_URL = environment.SEARXNG_URL;
  hideSecrets(config);
  expect(process.env.SEARXNG_URL).toBeUndefined();
});

it('keys may stand in the secrets file', () => {
  const home = tempDir();
  writeFileSync(join(home, 'keys.env'), 'TAVILY_API_KEY=tvly-from-the-file\n', { mode: 0o600 });
  writeFileSync(join(home, 'config.json'), '{"secretsFile":"keys.env"}');
  const { native } = readConfig({ config: join(home, 'config.json') }, { HOME: home });
  expect(native.tavily.apiKey).toBe('tvly-from-the-file');
});
