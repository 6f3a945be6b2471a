import { type Command, InvalidArgumentError } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';
import type { HttpFlags } from './serve-http.js';

export function addHttpFlags(command: Command, defaultPort: number): Command {
  return command
    .option('--port <number>', `the port; ${defaultPort} or PORT unless given, or the next free one`, toPort)
    .option('--host <name>', 'the address to listen on', '127.0.0.1')
    .option('--allow-host <name...>', 'more names that it answers to, as behind a proxy', [])
    .option('--no-token', 'let in everyone who reaches it; only on 127.0.0.1');
}

/** The page for people, and the tokens by which programs get in. */
export function addHttpCommands(program: Command, output: Output): void {
  addHttpFlags(program.command('dashboard'), 3333)
    .description('Serve the live dashboard, and with it the HTTP API and MCP over HTTP, until Ctrl-C.')
    .option('--open', 'open it in a browser')
    .action(async (flags: HttpFlags & { open?: boolean }, command: Command) => {
      const { runHttp } = await import('./serve-http.js');
      await runHttp({ ...flags, hasPage: true, defaultPort: 3333 }, globalFlagsOf(command), output);
    });

  const token = program.command('token').description('Tokens by which programs and other hosts get in over HTTP.');
  token
    .command('create')
    .description('Make a token and print it, this once; with --read-only it may look, but change nothing.')
    .requiredOption('--name <name>', 'what it is for')
    .action(async ({ name }: { name: string }, command: Command) => {
      const { createToken } = await import('./token.js');
      await createToken(name, globalFlagsOf(command), output);
    });
  token
    .command('list')
    .description('List tokens; themselves they are stored nowhere.')
    .action(async (_options: unknown, command: Command) => {
      const { listTokens } = await import('./token.js');
      await listTokens(globalFlagsOf(command), output);
    });
  token
    .command('revoke')
    .description('End a token, at once and for good.')
    .argument('<token>', 'its id or name')
    .action(async (idOrName: string, _options: unknown, command: Command) => {
      const { revokeToken } = await import('./token.js');
      await revokeToken(idOrName, globalFlagsOf(command), output);
    });
}

function toPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}
