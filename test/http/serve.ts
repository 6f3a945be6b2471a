import { type IncomingHttpHeaders, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import { readLocalToken } from '../../src/base/private-files.js';
import { type HttpOptions, type HttpServer, startHttpServer } from '../../src/http/http-server.js';
import type { Runtime } from '../../src/runtime.js';
import { type TestRuntimeOptions, testRuntime } from '../support/test-runtime.js';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
  data: any;
}

export interface ServedRuntime {
  runtime: Runtime & { home: string };
  server: HttpServer;
  ownerToken: string;
  /** A request as any program makes it, by default with the owner's token; headers replace it, '' leaves one out. */
  send(method: string, path: string, options?: { headers?: Record<string, string>; body?: string }): Promise<Reply>;
}

/** A runtime served on a free port of loopback, ended after the test. */
export async function serve(
  options: Partial<HttpOptions> = {},
  runtimeOptions: TestRuntimeOptions = {},
): Promise<ServedRuntime> {
  const runtime = await testRuntime(runtimeOptions);
  const server = await startHttpServer({
    runtime,
    config: runtime.config,
    log: silentLog,
    host: '127.0.0.1',
    port: 0,
    isExactPort: true,
    allowedHosts: [],
    isReadOnly: false,
    needsToken: true,
    ...options,
  });
  onTestFinished(() => server.close());
  const ownerToken = readLocalToken(runtime.config.dataDir) ?? '';
  return {
    runtime,
    server,
    ownerToken,
    send: (method, path, { headers = {}, body } = {}) =>
      sendRequest(server.port, method, path, { authorization: `Bearer ${ownerToken}`, ...headers }, body),
  };
}

/** With node:http, as fetch does not let a caller set Host. */
export function sendRequest(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Reply> {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers: given, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = text !== '' && incoming.headers['content-type']?.includes('json') === true;
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          data: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
