import { describe, expect, it } from 'vitest';
import { downloadPrices } from '../../src/agents/backtest/price-download.js';
import { searchArxiv } from '../../src/downstream/native/search-arxiv.js';
import { webSearch } from '../../src/downstream/native/web-search.js';
import { createAnthropic } from '../../src/llm/anthropic.js';
import { createCompatible } from '../../src/llm/compatible.js';
import { createGoogle } from '../../src/llm/google.js';
import { createOllama } from '../../src/llm/ollama.js';
import { createOpenAi } from '../../src/llm/openai.js';
import { createRemoteConnection } from '../../src/mcp/remote/connection.js';
import { call } from '../downstream/native/native-context.js';
import { type WebService, webService } from '../downstream/native/web-service.js';
import { toolRuntime } from '../downstream/tool-runtime.js';
import { testRuntime } from '../support/test-runtime.js';
import { ask } from './ask.js';

const key = 'tvly-secret-key-0123456789';

/** Each sends one request with the key to an address of the settings. */
const senders: Record<string, (origin: string) => Promise<unknown>> = {
  Anthropic: (baseUrl) => ask(createAnthropic({ apiKey: key, baseUrl })),
  Google: (baseUrl) => ask(createGoogle({ apiKey: key, baseUrl })),
  OpenAI: (baseUrl) => ask(createOpenAi({ apiKey: key, baseUrl })),
  'a server with the API of OpenAI': (baseUrl) =>
    ask(createCompatible({ name: 'vllm', baseUrl, headers: { 'x-proxy-key': key } })),
  Ollama: (baseUrl) => ask(createOllama({ baseUrl, headers: { 'x-proxy-key': key } })),
  'a tool server': async (origin) => {
    const { call } = await toolRuntime({ web: { type: 'http', url: `${origin}/mcp`, headers: { 'x-api-key': key } } });
    await call('web.look');
  },
  'a remote runtime': (url) =>
    createRemoteConnection({ url, token: () => key, headers: {} }).use((client) => client.listTools()),
  'a price download': (origin) =>
    downloadPrices(
      { urlTemplate: `${origin}/{ticker}?token={env:PRICE_TOKEN}`, env: { PRICE_TOKEN: key } },
      {
        ticker: 'ACME',
        startDate: '2020-01-01',
        endDate: '2021-01-01',
        maxBytes: 1_000,
        signal: new AbortController().signal,
      },
    ),
  arXiv: (origin) => search(searchArxiv, { ARXIV_BASE_URL: origin }),
  SearXNG: (origin) => search(webSearch, { SEARXNG_URL: origin.replace('://', `://user:${key}@`) }),
  Brave: (origin) => search(webSearch, { BRAVE_API_KEY: key, BRAVE_BASE_URL: origin }),
  Tavily: (origin) => search(webSearch, { TAVILY_API_KEY: key, TAVILY_BASE_URL: origin }),
};

async function search(tool: typeof webSearch, env: Record<string, string>): Promise<unknown> {
  const runtime = await testRuntime({ env });
  return call(tool, { query: 'sqlite' }, runtime);
}

describe.each(Object.entries(senders))('%s', (_, send) => {
  it.each([301, 302, 303, 307, 308])(
    'does not follow a redirect (%i) to another host, with or without its key',
    async (status) => {
      const stranger = await webService((response) => void response.writeHead(200).end('{}'));
      const elsewhere = stranger.origin.replace('127.0.0.1', 'localhost');
      const named: WebService = await webService(
        (response, { url }) =>
          void response.writeHead(status, { location: `${elsewhere}${url.pathname}${url.search}` }).end(),
      );
      await expect(send(named.origin)).rejects.toThrow();
      expect(named.received.length).toBeGreaterThan(0);
      expect(stranger.received).toEqual([]);
    },
  );
});
