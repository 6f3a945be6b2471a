import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';

/** Safety copies and what becomes of old rows. */
export function addKeepCommands(program: Command, output: Output): void {
  program
    .command('backup')
    .description('Copy the database while others go on working.')
    .argument('[file]', 'the new file; in the backup directory unless given')
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      const { runBackup } = await import('./backup.js');
      await runBackup(file, globalFlagsOf(command), output);
    });

  program
    .command('restore')
    .description('Give the database the contents of a backup; what it holds now is saved aside first.')
    .argument('[file]', 'the backup; the newest one unless given')
    .option('--force', 'also while servers or runners have the database open, or when it cannot be read')
    .action(async (file: string | undefined, { force = false }: { force?: boolean }, command: Command) => {
      const { runRestore } = await import('./backup.js');
      await runRestore(file, force, globalFlagsOf(command), output);
    });

  program
    .command('purge')
    .description('Delete what ended long ago; open work, and all that it depends on, stays. Makes a backup first.')
    .requiredOption('--older-than <age>', 'a number with m, h, d or w, such as 30d')
    .action(async ({ olderThan }: { olderThan: string }, command: Command) => {
      const { runPurge } = await import('./purge.js');
      await runPurge(olderThan, globalFlagsOf(command), output);
    });
}
