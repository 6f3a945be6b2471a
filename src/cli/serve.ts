import type { CommandContext } from './define-command.js';
import type { GlobalFlags } from './global-flags.js';
import { httpPort } from './launch.js';
import type { Output } from './output.js';
import type { HttpOptions } from './serve-http.js';

export interface ServeOptions extends HttpOptions {
  http: boolean;
  metricsPort: number | undefined;
}

/** Serves MCP on stdin and stdout, or on a port with `http`. */
export async function runServe(
  { http, metricsPort, ...options }: ServeOptions,
  context: CommandContext,
): Promise<void> {
  if (!http) return serve(context.flags, context.output, { metricsPort });
  const { serveHttp } = await import('./serve-http.js');
  return serveHttp({ ...options, hasPage: false, defaultPort: httpPort }, context);
}

/** The server that a client starts, with global options. Resolves when it listens; it ends with its client. */
export async function serve(
  flags: GlobalFlags,
  output: Output,
  { metricsPort }: { metricsPort?: number | undefined } = {},
): Promise<void> {
  const [{ readSettings }, { serveStdio }] = await Promise.all([
    import('./read-settings.js'),
    import('../mcp/stdio.js'),
  ]);
  if (process.stdin.isTTY && !flags.isQuiet) {
    output.say('Serving MCP on this terminal; clients use a pipe. Ctrl-C ends it.');
  }
  const logLevel = flags.settings.logLevel ?? impliedLevel(flags);
  await serveStdio(() => readSettings({ ...flags.settings, logLevel }), { isJson: flags.isJsonLogs, metricsPort });
}

function impliedLevel({ isVerbose, isQuiet }: GlobalFlags): string | undefined {
  if (isVerbose) return 'debug';
  return isQuiet ? 'error' : undefined;
}
