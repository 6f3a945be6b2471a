import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Show the main job in a temporary home: a goal, its tasks, and work that outlives a killed server.')
    .option('--relay', 'show a relay of four agents instead, run by the configured model through a killed server')
    .action(async ({ relay }: { relay?: boolean }, command: Command) => {
      const options = { json: globalFlagsOf(command).isJson };
      if (relay) await (await import('./demo-relay.js')).runRelayDemo(options);
      else await (await import('./demo.js')).runDemo(options);
    });
}
