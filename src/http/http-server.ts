import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import type { Issuer } from '../base/issuer-settings.js';
import type { Log } from '../base/log.js';
import { localToken } from '../base/private-files.js';
import type { Pass } from '../core/access/pass.js';
import { createEventFeed } from '../mcp/event-feed.js';
import type { Runtime } from '../runtime.js';
import { createApp } from './app.js';
import { createBrowserLogin } from './issuers/browser-login.js';
import { createIssuerBrowsers } from './issuers/issuer-browsers.js';
import { createIssuers } from './issuers/issuers.js';
import { listen } from './listen.js';
import { McpEndpoint } from './mcp-endpoint.js';
import { createOpenVisits } from './open-visits.js';
import type { PageFiles } from './page-files.js';
import { acceptWebSockets } from './web-sockets.js';

export interface HttpOptions {
  runtime: Runtime;
  config: Config;
  log: Log;
  host: string;
  port: number;
  /** Whether the port was asked for. */
  isExactPort: boolean;
  /** More names that the server answers to, as behind a proxy. */
  allowedHosts: readonly string[];
  isReadOnly: boolean;
  /** False lets anyone in who reaches the port: only on loopback. */
  needsToken: boolean;
  /** Whose access tokens let in too; those of the configuration unless given. */
  issuers?: readonly Issuer[] | undefined;
  page?: PageFiles | undefined;
  /** How often a WebSocket is asked whether its client is there. */
  pingMs?: number | undefined;
  /** How often it is looked whether those who keep something open may still do so. */
  rightsCheckMs?: number | undefined;
}

export interface HttpServer {
  /** Its address, without a token. */
  url: string;
  port: number;
  /** An address that lets its owner in from one browser, once and within ten minutes; `url` where everyone gets in. */
  ownerUrl(): Promise<string>;
  /** How many connections are open. */
  connections(): Promise<number>;
  /** Ends every connection. */
  close(): Promise<void>;
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/** Serves the runtime on one port. Throws `unavailable` when it cannot listen, `invalid` for a combination that is unsafe. */
export async function startHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { runtime, config, log, host, isReadOnly, needsToken, page } = options;
  const isLoopback = loopbackNames.includes(bracketed(host));
  if (!needsToken && !isLoopback) {
    throw new RuntimeError(
      'invalid',
      `Without a token anyone who reaches ${host} could change everything.`,
      'Leave out --no-token, or listen on 127.0.0.1.',
    );
  }
  const feed = createEventFeed({ db: runtime.db, log });
  const issuers = createIssuers({ issuers: options.issuers ?? config.issuers, clock: runtime.clock, log });
  const issuerBrowsers = createIssuerBrowsers(runtime.clock);
  const isGood = async ({ issued, ...pass }: Pass) => {
    if (!issued) return runtime.access.isGood(pass);
    const isOpen = pass.browserId === undefined || issuerBrowsers.isOpen(pass.browserId);
    return isOpen && (await issuers.isGood({ ...pass, issued }));
  };
  const visits = createOpenVisits({ feed, access: { isGood }, log, checkMs: options.rightsCheckMs });
  const mcp = new McpEndpoint({ runtime, config: { ...config, isReadOnly }, log, visits });
  const ownerToken = localToken(config.dataDir);
  const hosts = new Set([...loopbackNames, bracketed(host), ...ownAddresses(host), ...options.allowedHosts]);
  const app = createApp({
    runtime,
    config,
    log,
    feed,
    visits,
    mcp,
    page,
    guard: {
      access: runtime.access,
      issuers,
      issuerBrowsers,
      login: createBrowserLogin({ issuers, now: runtime.clock.now }),
      ownerToken,
      needsToken,
      hosts,
      isReadOnly,
      hasPage: page !== undefined,
      port: () => port,
    },
  });
  const listener = getRequestListener(app.fetch);
  let port = 0;
  const listening = await listen((request, response) => void listener(request, response), {
    host,
    port: options.port,
    isExact: options.isExactPort,
  });
  const { server } = listening;
  port = listening.port;
  const sockets = acceptWebSockets(server, {
    answer: (request, accept) => app.fetch(request, { accept }),
    pingMs: options.pingMs,
  });
  issuers.start();
  const url = `http://${isAny(host) ? '127.0.0.1' : bracketed(host)}:${port}`;
  const entry = await runtime.httpServers.add({ url, hasPage: page !== undefined, isReadOnly });
  return {
    url,
    port,
    async ownerUrl() {
      if (!needsToken) return url;
      return `${url}/?code=${await runtime.access.createCode({ tokenId: 'owner', isReadOnly })}`;
    },
    connections: () => promisify(server.getConnections.bind(server))(),
    async close() {
      visits.close();
      feed.close();
      issuers.close();
      server.close();
      await sockets.close();
      await mcp.close();
      server.closeAllConnections();
      await runtime.httpServers.remove(entry).catch(() => {});
    },
  };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.toLowerCase();
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** A server on every interface is addressed by each of their addresses. */
function ownAddresses(host: string): string[] {
  if (!isAny(host)) return [];
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => bracketed(address)),
  );
}
