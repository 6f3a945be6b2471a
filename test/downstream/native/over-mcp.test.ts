import { expect, it } from 'vitest';
import { runCli } from '../../cli/run-cli.js';
import { connectServer } from '../../support/mcp-client.js';
import { tempDir } from '../../support/temp-dir.js';
import { body, replyWith, webService } from './web-service.js';

it('both searches are tools of the server, reading and reaching out', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_TOOLSETS: 'tools' } });
  const { tools } = await server.client.listTools();
  const found = tools.filter(({ name }) => name === 'search_arxiv' || name === 'web_search');
  expect(found).toHaveLength(2);
  for (const tool of found) {
    expect(tool.annotations).toMatchObject({ readOnlyHint: true });
    // The protocol's default is to reach out, so only tools that do not say so.
    expect(tool.annotations?.openWorldHint).not.toBe(false);
    expect(tool.description?.length).toBeLessThan(600);
  }
});

it('search_arxiv over MCP: results, the cached answer, and an error that names what is wrong', async () => {
  const arxiv = await webService(replyWith(200, body('attention.xml')));
  const server = await connectServer({ home: tempDir(), env: { ARXIV_BASE_URL: arxiv.origin } });
  const first = await server.ok('search_arxiv', { query: '"attention is all you need"', max_results: 2 });
  expect(first.results[0]).toMatchObject({ id: '1706.03762v7', title: 'Attention Is All You Need' });
  const again = await server.ok('search_arxiv', { query: '"attention is all you need"', max_results: 2 });
  expect(again).toEqual({ ...first, age_seconds: expect.any(Number) });
  expect(arxiv.received).toHaveLength(1);
  const wrong = await server.call('search_arxiv', { query: 'x', max_results: 'many' });
  expect(wrong.data).toMatchObject({ code: 'invalid', message: expect.stringContaining('max_results') });
});

it('web_search over MCP: results, when to come back, and a key in none of it', async () => {
  const key = 'tvly-dev-0123456789abcdef';
  const tavily = await webService(replyWith(200, body('tavily.json')));
  const env = { TAVILY_API_KEY: key, TAVILY_BASE_URL: tavily.origin, AGENT_RUNTIME_LOG_LEVEL: 'debug' };
  const server = await connectServer({ home: tempDir(), env });
  const found = await server.ok('web_search', { query: 'sqlite wal', num_results: 1 });
  expect(found).toMatchObject({ backend: 'tavily', results: [{ url: 'https://www.sqlite.org/wal.html' }] });
  tavily.answer(replyWith(429, `{"detail":"${key}"}`, { 'retry-after': '30' }));
  const limited = await server.call('web_search', { query: 'sqlite wal' });
  expect(limited.data).toEqual({
    code: 'rate_limited',
    message: 'Tavily limits the rate of searches (429).',
    hint: 'Try again in 30 s.',
    retry_after_seconds: 30,
  });
  tavily.answer(replyWith(401, `{"detail":"${key}"}`));
  const refused = await server.call('web_search', { query: 'sqlite wal' });
  expect(refused.data.code).toBe('not_configured');
  expect(limited.text + refused.text + server.stderr()).not.toContain(key);
});

it('with nothing set up web_search says so, with the three ways; the server itself starts as ever', async () => {
  const server = await connectServer({ home: tempDir() });
  const { data } = await server.call('web_search', { query: 'x' });
  expect(data.code).toBe('not_configured');
  expect(data.hint).toMatch(/SEARXNG_URL.*BRAVE_API_KEY.*TAVILY_API_KEY/s);
});

it('a shell has the same tools', async () => {
  const tavily = await webService(replyWith(200, body('tavily.json')));
  const env = { TAVILY_API_KEY: 'tvly-dev-0123456789abcdef', TAVILY_BASE_URL: tavily.origin };
  const { code, stdout } = await runCli(['tool', 'web_search', '--arg', 'query=sqlite wal'], { home: tempDir(), env });
  expect(code).toBe(0);
  expect(stdout).toContain('https://www.sqlite.org/wal.html');
  expect(stdout).not.toContain('\u001b[2J');
});
