import type { CommandSet, DefinedCommand } from '../define-command.js';
import { databaseCommands } from './database.js';
import { jobCommands } from './jobs.js';
import { pricesCommands } from './prices.js';
import { serverCommands, tokenCommands } from './server.js';
import { setupCommands } from './setup.js';
import { serversCommands, toolCommand } from './tools.js';

/** Every command by group. `--help` and the README's table have the same groups and order. */
export const commands: Readonly<Record<string, readonly (DefinedCommand | CommandSet)[]>> = {
  Setup: setupCommands,
  Server: [
    ...serverCommands,
    {
      name: 'token',
      description: 'Manage the tokens that let programs and other hosts in over HTTP.',
      commands: tokenCommands,
    },
  ],
  Tools: [
    toolCommand,
    { name: 'servers', description: 'Manage the MCP servers whose tools call_tool calls.', commands: serversCommands },
  ],
  Jobs: jobCommands,
  Prices: [{ name: 'prices', description: 'Manage the price files that backtests read.', commands: pricesCommands }],
  Database: databaseCommands,
};
