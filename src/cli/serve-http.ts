import { spawn } from 'node:child_process';
import type { GlobalFlags } from './global-flags.js';
import type { Output } from './output.js';
import { settingOf } from './with-runtime.js';

export interface HttpRequest extends HttpFlags {
  hasPage: boolean;
  defaultPort: number;
  open?: boolean;
}

/** Serves over HTTP until it is told to end. */
export async function runHttp(request: HttpRequest, flags: GlobalFlags, output: Output): Promise<void> {
  const { config, log } = settingOf(flags);
  const [{ openRuntime }, { startHttpServer }, { readPageFiles }] = await Promise.all([
    import('../runtime.js'),
    import('../http/http-server.js'),
    import('../http/page-files.js'),
  ]);
  const runtime = await openRuntime({ config, log });
  const asked = request.port ?? config.port;
  try {
    const server = await startHttpServer({
      runtime,
      config,
      log,
      host: request.host,
      port: asked ?? request.defaultPort,
      isExactPort: asked !== undefined,
      allowedHosts: request.allowHost,
      isReadOnly: config.isReadOnly,
      needsToken: request.token,
      page: request.hasPage ? readPageFiles() : undefined,
    });
    runtime.maintenance.start();
    if (flags.isJson) output.printJson({ url: server.url, owner_url: server.ownerUrl, mcp: `${server.url}/mcp` });
    else for (const line of greeting(request, server)) output.say(line);
    if (request.open) openBrowser(server.ownerUrl);
    await untilToldToEnd();
    await server.close();
  } finally {
    runtime.close();
  }
}

function greeting({ hasPage, host }: HttpRequest, server: { url: string; ownerUrl: string }): string[] {
  const lines = hasPage
    ? [`Dashboard: ${server.ownerUrl}`, 'The address lets its reader in: keep it to yourself.']
    : [`Serving ${server.url}: MCP at /mcp, the tools at /api/tools, changes at /api/events.`];
  if (!hasPage) lines.push('Programs need a token: `agent-runtime token create --name NAME`.');
  if (!/^(127\.|localhost$|::1$)/.test(host)) {
    lines.push(`It listens on ${host}: others can reach it. Their requests need a token, and travel unencrypted.`);
  }
  return [...lines, 'Ctrl-C ends it.'];
}

function untilToldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** What it takes to serve over HTTP, on the command line. */
export interface HttpFlags {
  port?: number;
  host: string;
  allowHost: string[];
  /** False by `--no-token`. */
  token: boolean;
}

/** Opens an address in the user's browser, if there is one; without one nothing happens. */
export function openBrowser(url: string): void {
  const [command, ...args] = openers[process.platform] ?? ['xdg-open'];
  const child = spawn(command ?? 'xdg-open', [...args, url], { detached: true, stdio: 'ignore' });
  child.on('error', () => {});
  child.unref();
}

const openers: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
