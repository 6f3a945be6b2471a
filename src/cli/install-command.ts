import { type Command, Option } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import { type ClientId, clientIds } from './install/clients.js';
import { type ClaudeScope, claudeScopes } from './launch.js';
import type { Output } from './output.js';

export function addInstallCommand(program: Command, output: Output): void {
  program
    .command('install')
    .description('Say how to connect a client, or put the server into its config file.')
    .addOption(new Option('--client <name>', 'the client').choices(clientIds).makeOptionMandatory())
    .addOption(new Option('--print', 'only say what to do (what it does unless told otherwise)').conflicts('write'))
    .option('--write', 'edit the config file, after a backup beside it')
    .addOption(new Option('--scope <scope>', 'claude-code only: whom the server is for').choices(claudeScopes))
    .addHelpText('after', '\nGlobal flags such as --db are passed on to the server that the client will start.\n')
    .action(async (options: InstallOptions, command: Command) => {
      const { runInstall } = await import('./install/install.js');
      const { client, write = false, scope } = options;
      runInstall({ client, isWritten: write, scope }, globalFlagsOf(command), output);
    });
}

interface InstallOptions {
  client: ClientId;
  write?: boolean;
  scope?: ClaudeScope;
}
