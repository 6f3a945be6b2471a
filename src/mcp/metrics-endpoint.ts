import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Log } from '../base/log.js';
import { prometheusContentType } from '../core/metrics/prometheus.js';

export interface MetricsEndpointNeeds {
  /** On 127.0.0.1; 0 takes any that is free. */
  port: number;
  /** The text to answer with. */
  read(): Promise<string>;
  log: Log;
  /** Pause between attempts while another process has the port; 15 s outside of tests. */
  retryMs?: number;
}

export interface MetricsEndpoint {
  /** Resolves to the port once it listens. */
  readonly listening: Promise<number>;
  close(): void;
}

/**
 * `GET /metrics` for a Prometheus on this machine. Several sessions may share one port: the first one listens, and the
 * others retry, so that one takes over when it ends. All show the same database. A taken port never ends a server.
 */
export function openMetricsEndpoint({ port, read, log, retryMs = 15_000 }: MetricsEndpointNeeds): MetricsEndpoint {
  let retry: NodeJS.Timeout | undefined;
  let hasTold = false;
  const server = createServer((request, response) => void answer(request, response, read, log));
  // A connected scraper must not keep a server alive whose client is gone.
  server.unref();
  const listen = () => server.listen(port, '127.0.0.1');
  const listening = new Promise<number>((resolve) => server.on('listening', () => resolve(portOf(server.address()))));
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (!hasTold) log.warn('the metrics cannot be served; another process may have the port', { port, error });
    hasTold = true;
    if (error.code === 'EADDRINUSE') retry = setTimeout(listen, retryMs).unref();
  });
  listen();
  return {
    listening,
    close() {
      clearTimeout(retry);
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  read: () => Promise<string>,
  log: Log,
): Promise<void> {
  const reply = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
    // A connection that was kept would break in the hands of a scraper when another server takes the port over.
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', connection: 'close' });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  if (!isLocal(request.headers.host)) return reply(403, 'The Host header names no address of this machine.\n');
  if (request.url?.split('?')[0] !== '/metrics') return reply(404, 'There is only /metrics.\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return reply(405, 'There is only GET.\n');
  try {
    reply(200, await read(), prometheusContentType);
  } catch (error) {
    log.warn('the metrics could not be read', { error });
    reply(503, 'The metrics cannot be read now; the log says why.\n');
  }
}

/** A page of another site whose name resolves to this machine sends that name (DNS rebinding). */
function isLocal(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host);
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return typeof address === 'object' && address ? address.port : 0;
}
