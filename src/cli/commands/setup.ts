import { defineCommand } from '../define-command.js';
import { clientIds } from '../install/clients.js';
import { claudeScopes } from '../launch.js';
import { choice, flag, requiredChoice } from '../options.js';

export const setupCommands = [
  defineCommand({
    name: 'install',
    description: 'Show how to connect a client; with --write, edit its config file.',
    options: {
      client: requiredChoice('--client <name>', 'the client', clientIds),
      print: flag('--print', 'only show what to do (the default)', { conflictsWith: 'write' }),
      write: flag('--write', 'edit the config file, after a backup beside it'),
      scope: choice('--scope <scope>', 'claude-code only: who gets the server', claudeScopes),
    },
    helpAfter: '\nGlobal options such as --db are passed on to the server that the client will start.\n',
    load: async () => (await import('../install/install.js')).runInstall,
  }),
  defineCommand({
    name: 'doctor',
    description: 'Check everything that the runtime needs, and print a fix for each problem. Changes nothing.',
    load: async () => (await import('../doctor/doctor.js')).runDoctor,
  }),
  defineCommand({
    name: 'demo',
    description:
      'Run a demonstration in a temporary home: a goal, its tasks, and background work that goes on after its server is killed.',
    options: {
      relay: flag('--relay', 'run a relay of four agents instead; it needs a configured model'),
    },
    load: async () => (await import('../demo/demo.js')).runDemo,
  }),
];
