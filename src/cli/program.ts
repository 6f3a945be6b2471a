import { Command } from 'commander';
import { version } from '../base/version.js';
import { addDemoCommand } from './demo-command.js';
import { addDoctorCommand } from './doctor-command.js';
import { isDone, reportFailure } from './failure.js';
import { addGlobalFlags, globalFlagsOf } from './global-flags.js';
import { addHttpCommands } from './http-command.js';
import { addInstallCommand } from './install-command.js';
import { addJobCommands, withPayloadNamed } from './job-commands.js';
import { addKeepCommands } from './keep-command.js';
import { commandName, connectLines } from './launch.js';
import { addMetricsCommand } from './metrics-command.js';
import { createOutput, type Output } from './output.js';
import { addPriceCommands } from './price-commands.js';
import { addServeCommand, serve } from './serve.js';
import { addServersCommand } from './servers-command.js';
import { addToolCommand } from './tool-command.js';

/** Runs one command line, and leaves its exit code in `process.exitCode`. */
export async function runCommandLine(given: string[]): Promise<void> {
  const output = createOutput();
  const program = createProgram(output);
  const args = withPayloadNamed(program, given);
  try {
    if (isBare(program, args)) await runBare(program, output);
    else await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (isDone(error)) return;
    // A flag behind the fault has not been read.
    const flags = globalFlagsOf(program);
    const code = reportFailure(error, { ...flags, isJson: flags.isJson || args.includes('--json') }, output);
    // An interrupted command keeps the code that the signal gave it.
    process.exitCode ||= code;
  }
}

function createProgram(output: Output): Command {
  const program = new Command(commandName)
    .description('One durable runtime for every Claude session on this machine: goals, tasks and background work.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print what a command does and takes')
    .helpCommand('help [command]', 'Print what a command does and takes.')
    .exitOverride()
    .configureOutput({ writeOut: output.write, writeErr: () => {}, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', () => `\n${connectLines(process.platform)}`);
  addGlobalFlags(program);
  addServeCommand(program, output);
  addToolCommand(program, output);
  addDemoCommand(program);
  addDoctorCommand(program, output);
  addInstallCommand(program, output);
  addJobCommands(program, output);
  addPriceCommands(program, output);
  addKeepCommands(program, output);
  addHttpCommands(program, output);
  addMetricsCommand(program, output);
  addServersCommand(program, output);
  return program;
}

/**
 * Flags, but no command. Found by hand, because with a default command commander takes a misspelt command for an
 * argument of that one, and says only that there are too many.
 */
function isBare(program: Command, args: string[]): boolean {
  const { operands, unknown } = program.parseOptions(args);
  return operands.length === 0 && unknown.length === 0;
}

/** A client starts the server with a pipe, perhaps with flags; a person at a terminal gets help. */
async function runBare(program: Command, output: Output): Promise<void> {
  if (process.stdin.isTTY) program.outputHelp();
  else await serve(globalFlagsOf(program), output);
}
