import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { endProcessesOf } from '../support/processes-of.js';

/** A home in which a runtime reaches nothing but servers of this process. */
export interface FuzzHome {
  path: string;
  database: string;
  env: Record<string, string>;
  /** Ends all processes of this home, and removes it. */
  close(): Promise<void>;
}

export async function makeHome(): Promise<FuzzHome> {
  const path = mkdtempSync(join(tmpdir(), 'agent-runtime-fuzz-'));
  const model = await startAnthropicServer({ reply: () => '{"score": 0.9, "missing": []}' });
  const search = await startSearch();
  mkdirSync(join(path, '.claude'), { recursive: true });
  const odd = { command: process.execPath, args: [resolve('test/fixtures/servers/odd-server.mjs')] };
  const gone = { command: '/no/such/program' };
  writeFileSync(join(path, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers: { odd, gone } }));
  return {
    path,
    database: join(path, '.claude', 'agent_runtime.db'),
    env: {
      HOME: path,
      PATH: '/usr/bin:/bin',
      ANTHROPIC_API_KEY: 'sk-ant-test-key-0001',
      ANTHROPIC_BASE_URL: model.url,
      OLLAMA_BASE_URL: nowhere,
      GOOGLE_API_KEY: 'AIzaTestKey0001',
      GOOGLE_BASE_URL: nowhere,
      SEARXNG_URL: search.url,
      ARXIV_BASE_URL: search.url,
      AGENT_RUNTIME_MAX_RUNNING_JOBS: '1',
      AGENT_RUNTIME_LOG_LEVEL: 'error',
    },
    async close() {
      await endProcessesOf(path);
      await Promise.all([model.close(), search.close()]);
      rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

/** Nothing listens there. */
const nowhere = 'http://127.0.0.1:9';

/** Finds nothing, in the words of both searches. */
async function startSearch(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(({ url }, response) => {
    const isSearch = url?.startsWith('/search');
    response.writeHead(200, { 'content-type': isSearch ? 'application/json' : 'application/atom+xml' });
    response.end(isSearch ? '{"results": []}' : '<feed xmlns="http://www.w3.org/2005/Atom"></feed>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
