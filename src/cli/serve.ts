import type { Command } from 'commander';
import { type GlobalFlags, globalFlagsOf } from './global-flags.js';
import { addHttpFlags, type HttpFlags } from './http-command.js';
import type { Output } from './output.js';

/** That of the task coordinator, whose clients name it in TASK_COORDINATOR_URL. */
const httpPort = 3335;

export function addServeCommand(program: Command, output: Output): void {
  addHttpFlags(program.command('serve'), httpPort)
    .description('Serve MCP on stdin and stdout, as a client starts it; with --http on a port, for other hosts too.')
    .option('--http', 'serve MCP and the HTTP API on a port instead, without a page')
    .action(async ({ http, ...request }: HttpFlags & { http?: boolean }, command: Command) => {
      const flags = globalFlagsOf(command);
      if (!http) return serve(flags, output);
      const { runHttp } = await import('./http/run-http.js');
      return runHttp({ ...request, hasPage: false, defaultPort: httpPort }, flags, output);
    });
}

/** The same server as without a command, with flags. Resolves when it listens; it ends with its client. */
export async function serve(flags: GlobalFlags, output: Output): Promise<void> {
  const [{ readConfig }, { serveStdio }] = await Promise.all([import('../base/config.js'), import('../mcp/stdio.js')]);
  if (process.stdin.isTTY && !flags.isQuiet) {
    output.say('Serving MCP on this terminal; clients do so by a pipe. Ctrl-C ends it.');
  }
  const logLevel = flags.settings.logLevel ?? impliedLevel(flags);
  await serveStdio(() => readConfig({ ...flags.settings, logLevel }));
}

function impliedLevel({ isVerbose, isQuiet }: GlobalFlags): string | undefined {
  if (isVerbose) return 'debug';
  return isQuiet ? 'error' : undefined;
}
