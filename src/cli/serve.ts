import type { Command } from 'commander';
import { type GlobalFlags, globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';

export function addServeCommand(program: Command, output: Output): void {
  program
    .command('serve')
    .description('Serve MCP on stdin and stdout, as a client starts it.')
    .action((_options: unknown, command: Command) => serve(globalFlagsOf(command), output));
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
