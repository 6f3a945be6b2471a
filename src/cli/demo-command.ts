import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Show the main job in a temporary home: a goal, its tasks, and work that outlives a killed server.')
    .action(async (_options: unknown, command: Command) => {
      const { runDemo } = await import('./demo.js');
      await runDemo({ json: globalFlagsOf(command).isJson });
    });
}
