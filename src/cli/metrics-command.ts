import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';

export function addMetricsCommand(program: Command, output: Output): void {
  program
    .command('metrics')
    .description('Show what jobs, agents, models and tools did: rates, times, errors, queues.')
    .option('--window <age>', 'how far back to look: a number with m, h, d or w', '1h')
    .option('--prometheus', 'all counters and gauges, in the text format of Prometheus')
    .action(async (options: { window: string; prometheus?: boolean }, command: Command) => {
      const { runMetrics } = await import('./metrics.js');
      await runMetrics(options, globalFlagsOf(command), output);
    });
}
