import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';

/** The other MCP servers whose tools this program calls. */
export function addServersCommand(program: Command, output: Output): void {
  const servers = program.command('servers').description('The MCP servers whose tools call_tool calls.');

  servers
    .command('list')
    .description('Name the servers of the config file, and what is known of them. Starts none.')
    .action(async (_options: unknown, command: Command) => {
      const { runList } = await import('./servers/servers.js');
      await runList(globalFlagsOf(command), output);
    });

  servers
    .command('import')
    .description("Take over servers from another client's file, such as .mcp.json; the config file as it was is kept.")
    .argument('<file>', 'a JSON file with mcpServers')
    .option('--dry-run', 'only say what would be done')
    .option('--replace', 'also those whose name is taken by another entry')
    .action((file: string, options: { dryRun?: boolean; replace?: boolean }, command: Command) =>
      import('./servers/servers.js').then(({ runImport }) =>
        runImport(
          file,
          { isDry: options.dryRun === true, isReplacing: options.replace === true },
          globalFlagsOf(command),
          output,
        ),
      ),
    );

  servers
    .command('check')
    .description('Start each server, ask for its tools, and end it. The exit code is 1 if one does not answer.')
    .argument('[server]', 'only this one')
    .action(async (server: string | undefined, _options: unknown, command: Command) => {
      const { runCheck } = await import('./servers/servers.js');
      await runCheck(server, globalFlagsOf(command), output);
    });
}
