import { Command } from 'commander';
import { version } from '../base/version.js';
import { commands } from './commands.js';
import { completionRequest } from './completion/shells.js';
import { addCommand, addCommandSet } from './define-command.js';
import { isDone, reportFailure } from './failure.js';
import { addGlobalFlags, globalFlagsOf } from './global-flags.js';
import { withPayloadNamed } from './job-commands.js';
import { commandName, connectLines } from './launch.js';
import { createOutput, type Output } from './output.js';

/** Runs one command line and sets `process.exitCode`. */
export async function runCommandLine(given: string[], output: Output = createOutput()): Promise<void> {
  if (given[0] === completionRequest) {
    const { answerCompletion } = await import('./completion/complete.js');
    return answerCompletion(given.slice(1), output);
  }
  const program = createProgram(output);
  const args = withPayloadNamed(program, given);
  try {
    if (isBare(program, args)) await runBare(program, output);
    else await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (isDone(error)) return;
    // Parsing stops at the first mistake, so a --json after it has not been read.
    const flags = globalFlagsOf(program);
    const code = await reportFailure(error, { ...flags, isJson: flags.isJson || args.includes('--json') }, output);
    // An interrupted command keeps the exit code of its signal.
    process.exitCode ||= code;
  }
}

function createProgram(output: Output): Command {
  const program = new Command(commandName)
    .description('One durable runtime for every Claude session on this machine: goals, tasks and background work.')
    .version(version, '-V, --version', 'print the version')
    .commandsGroup('Help:')
    .helpOption('-h, --help', 'print what a command does and takes')
    .helpCommand('help [command]', 'Print what a command does and takes.')
    .exitOverride()
    .configureOutput({ writeOut: output.write, writeErr: () => {}, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', () => `\n${connectLines(process.platform)}`);
  addGlobalFlags(program);
  for (const [group, declared] of Object.entries(commands)) {
    for (const one of declared) {
      const command = 'commands' in one ? addCommandSet(program, one, output) : addCommand(program, one, output);
      command.helpGroup(`${group}:`);
    }
  }
  return program;
}

/**
 * Whether the command line has options but no command. This is checked by hand, because with a default command commander
 * takes a misspelt command as an argument of the default one, and only says that there are too many arguments.
 */
function isBare(program: Command, args: string[]): boolean {
  const { operands, unknown } = program.parseOptions(args);
  return operands.length === 0 && unknown.length === 0;
}

/** Without a command, a client with a pipe gets the server, and a person at a terminal gets help. */
async function runBare(program: Command, output: Output): Promise<void> {
  if (process.stdin.isTTY) return program.outputHelp();
  const { serve } = await import('./serve.js');
  await serve(globalFlagsOf(program), output);
}
