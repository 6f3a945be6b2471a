import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { prometheusContentType } from '../../core/metrics/prometheus.js';

export interface HealthNeeds {
  host: string;
  /** 0 takes any that is free. */
  port: number;
  /** What /healthz answers with; rejects when the worker cannot work. */
  health(): Promise<Record<string, string | number>>;
  metrics(): Promise<string>;
  /** Whether a token of a request from elsewhere is good. */
  isGoodToken(token: string): Promise<boolean>;
  log: Log;
}

export interface HealthServer {
  url: string;
  close(): void;
}

const loopback = /^(127\.\d+\.\d+\.\d+|localhost|\[?::1\]?)$/i;

/**
 * Answers `/healthz`, which says nothing that is secret, and `/metrics`: on loopback to who addresses it by a name of
 * this machine, elsewhere to who has a token. Throws `unavailable` when the port is taken.
 */
export async function startHealthServer(needs: HealthNeeds): Promise<HealthServer> {
  const { host, port, log } = needs;
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, response, needs).catch((error: unknown) => {
      log.warn('a request failed', { error });
      reply(response, 503, `${messageOf(error)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new RuntimeError(
          'unavailable',
          `Cannot listen on ${host}:${port}: ${cause.message}.`,
          'Choose another --port.',
          {
            cause,
          },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, needs: HealthNeeds): Promise<void> {
  const path = request.url?.split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') return reply(response, 405, 'There is only GET.\n');
  if (path === '/healthz') {
    return reply(response, 200, `${JSON.stringify({ status: 'ok', ...(await needs.health()) })}\n`, 'application/json');
  }
  if (path !== '/metrics') return reply(response, 404, 'There are /healthz and /metrics.\n');
  if (!(await mayRead(request, needs))) {
    return reply(response, 401, 'Send a token: `agent-runtime token create --name NAME --read-only` prints one.\n');
  }
  reply(response, 200, await needs.metrics(), prometheusContentType);
}

/** A page of another site whose name resolves to this machine sends that name (DNS rebinding). */
async function mayRead({ headers }: IncomingMessage, { host, isGoodToken }: HealthNeeds): Promise<boolean> {
  const asked = headers.host?.replace(/:\d{1,5}$/, '') ?? '';
  if (loopback.test(host) && loopback.test(asked)) return true;
  const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  return token !== undefined && isGoodToken(token);
}

function reply(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(text);
}
