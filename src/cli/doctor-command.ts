import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';

export function addDoctorCommand(program: Command, output: Output): void {
  program
    .command('doctor')
    .description('Check everything that has to be right, and say how to mend what is not. Changes nothing.')
    .action(async (_options: unknown, command: Command) => {
      const { runDoctor } = await import('./doctor/doctor.js');
      await runDoctor(globalFlagsOf(command), output);
    });
}
