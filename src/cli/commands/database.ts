import { defineCommand } from '../define-command.js';
import { flag, optionalArgument, requiredText } from '../options.js';

export const databaseCommands = [
  defineCommand({
    name: 'backup',
    description: 'Copy the database while others use it.',
    arguments: { file: optionalArgument('the new file; by default one in the backup directory') },
    load: async () => (await import('../backup.js')).runBackup,
  }),
  defineCommand({
    name: 'restore',
    description: 'Replace the contents of the database by those of a backup; a copy of the current contents is kept.',
    arguments: { file: optionalArgument('the backup; by default the newest one') },
    options: {
      isForced: flag('--force', 'also while servers or runners use the database, or when it cannot be read'),
    },
    load: async () => (await import('../backup.js')).runRestore,
  }),
  defineCommand({
    name: 'purge',
    description: 'Delete what ended long ago, after a backup; open work, and all that it depends on, stays.',
    options: { olderThan: requiredText('--older-than <age>', 'a number with m, h, d or w, such as 30d') },
    load: async () => (await import('../purge.js')).runPurge,
  }),
];
