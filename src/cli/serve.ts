import type { Command } from 'commander';
import { RuntimeError } from '../base/errors.js';
import { type GlobalFlags, globalFlagsOf } from './global-flags.js';
import { addHttpFlags } from './http-command.js';
import type { Output } from './output.js';
import type { HttpFlags } from './serve-http.js';

/** That of the task coordinator, whose clients name it in TASK_COORDINATOR_URL. */
const httpPort = 3335;

export function addServeCommand(program: Command, output: Output): void {
  addHttpFlags(program.command('serve'), httpPort)
    .description('Serve MCP on stdin and stdout, as a client starts it; with --http on a port, for other hosts too.')
    .option('--http', 'serve MCP and the HTTP API on a port instead, without a page')
    .option('--metrics-port <port>', 'answer GET /metrics for Prometheus on this port of 127.0.0.1', parsePort)
    .action(
      async ({ http, metricsPort, ...request }: ServeOptions & HttpFlags & { http?: boolean }, command: Command) => {
        const flags = globalFlagsOf(command);
        if (!http) return serve(flags, output, { metricsPort });
        const { runHttp } = await import('./serve-http.js');
        return runHttp({ ...request, hasPage: false, defaultPort: httpPort }, flags, output);
      },
    );
}

/** The same server as without a command, with flags. Resolves when it listens; it ends with its client. */
export async function serve(flags: GlobalFlags, output: Output, { metricsPort }: ServeOptions = {}): Promise<void> {
  const [{ readConfig }, { serveStdio }] = await Promise.all([import('../config.js'), import('../mcp/stdio.js')]);
  if (process.stdin.isTTY && !flags.isQuiet) {
    output.say('Serving MCP on this terminal; clients do so by a pipe. Ctrl-C ends it.');
  }
  const logLevel = flags.settings.logLevel ?? impliedLevel(flags);
  await serveStdio(() => readConfig({ ...flags.settings, logLevel }), {
    isJson: flags.isJsonLogs,
    metricsPort,
  });
}

interface ServeOptions {
  metricsPort?: number | undefined;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(text)} is not a port.`,
    'Give a number from 1 to 65535, such as 9464.',
  );
}

function impliedLevel({ isVerbose, isQuiet }: GlobalFlags): string | undefined {
  if (isVerbose) return 'debug';
  return isQuiet ? 'error' : undefined;
}
