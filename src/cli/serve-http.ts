import { isComplete, withIssuer } from '../base/issuer-settings.js';
import type { HttpServer } from '../http/http-server.js';
import type { CommandContext } from './define-command.js';
import { dashboardPort } from './launch.js';
import { openBrowser } from './open-browser.js';
import { settingOf } from './with-runtime.js';

/** The options that `serve --http` and `dashboard` share. */
export interface HttpOptions {
  port: number | undefined;
  host: string;
  allowedHosts: string[];
  needsToken: boolean;
  /** An issuer beside those of the settings, or another audience for one of them. */
  issuer: string | undefined;
  audience: string | undefined;
}

interface HttpService extends HttpOptions {
  hasPage: boolean;
  /** Used if neither --port nor PORT names one; if it is taken, the next free port is used. */
  defaultPort: number;
  /** Whether to open the page in a browser. */
  open?: boolean;
  /** Ends when nobody has been connected for so many seconds; never unless given. */
  untilIdle?: number | undefined;
}

/** Serves the dashboard, the HTTP API and MCP until a signal ends it. */
export function runDashboard(
  options: HttpOptions & { open: boolean; untilIdle: number | undefined },
  context: CommandContext,
): Promise<void> {
  return serveHttp({ ...options, hasPage: true, defaultPort: dashboardPort }, context);
}

/** Serves over HTTP until a signal ends it. */
export async function serveHttp(service: HttpService, { flags, output }: CommandContext): Promise<void> {
  const { config, log } = settingOf(flags);
  for (const warning of config.warnings) log.warn(warning);
  for (const { name, client } of config.issuers) {
    if (client && !isComplete(client))
      log.warn(`People cannot log in with ${name}: ${client.secretVariable} is not set.`);
  }
  const [{ openRuntime }, { startHttpServer }, { readPageFiles }] = await Promise.all([
    import('../runtime.js'),
    import('../http/http-server.js'),
    import('../http/page-files.js'),
  ]);
  const runtime = await openRuntime({ config, log });
  const port = service.port ?? config.port;
  const given = { url: service.issuer, audience: service.audience };
  // Heard from now on, so that who has read the address can end it in order.
  const signalled = untilSignal();
  try {
    const server = await startHttpServer({
      runtime,
      config,
      log,
      host: service.host,
      port: port ?? service.defaultPort,
      isExactPort: port !== undefined,
      allowedHosts: service.allowedHosts,
      isReadOnly: config.isReadOnly,
      needsToken: service.needsToken,
      issuers: withIssuer(config.issuers, given, { url: '--issuer', audience: '--audience' }),
      page: service.hasPage ? readPageFiles() : undefined,
    });
    try {
      runtime.maintenance.start();
      await greet(service, server, { flags, output });
      await Promise.race([signalled, untilIdle(server, service.untilIdle)]);
    } finally {
      await server.close();
    }
  } finally {
    runtime.close();
  }
}

/** Prints where the server is, and opens its page if asked to. */
async function greet(
  service: HttpService,
  server: HttpServer,
  { flags, output }: Pick<CommandContext, 'flags' | 'output'>,
): Promise<void> {
  const { url } = server;
  // Without a page there is nothing to open.
  const ownerUrl = service.hasPage ? await server.ownerUrl() : url;
  if (flags.isJson) output.printJson({ url, owner_url: ownerUrl, mcp: `${url}/mcp` });
  else for (const line of greeting(service, { url, ownerUrl })) output.say(line);
  // With a code of its own, so that the printed address still opens.
  if (service.open) openBrowser(await server.ownerUrl());
}

function greeting({ hasPage, host, needsToken }: HttpService, server: { url: string; ownerUrl: string }): string[] {
  const lines = hasPage
    ? [
        `Dashboard: ${server.ownerUrl}`,
        ...(needsToken
          ? ['It opens once, within ten minutes. `agent-runtime tool dashboard_url` prints another.']
          : ['Everyone who can reach this port gets in.']),
      ]
    : [
        `Serving ${server.url}: MCP at /mcp, the tools at /api/tools, changes at /api/events.`,
        'Programs need a token: `agent-runtime token create --name NAME`.',
      ];
  if (!/^(127\.|localhost$|::1$)/.test(host)) {
    lines.push(`It listens on ${host}, so others can reach it. Their requests need a token and are not encrypted.`);
  }
  return [...lines, 'Ctrl-C ends it.'];
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** Resolves when nobody has been connected for so long. An open page always is. */
function untilIdle(server: HttpServer, seconds: number | undefined): Promise<void> {
  if (seconds === undefined) return new Promise(() => {});
  const lookMs = Math.min(10_000, (seconds * 1000) / 4);
  let usedAt = performance.now();
  return new Promise((resolve) => {
    const looking = setInterval(async () => {
      if ((await server.connections()) > 0) usedAt = performance.now();
      if (performance.now() - usedAt < seconds * 1000) return;
      clearInterval(looking);
      resolve();
    }, lookMs);
    // A signal ends the server first, and then nothing is to look at.
    looking.unref();
  });
}
