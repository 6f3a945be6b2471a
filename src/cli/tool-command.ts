import type { Command } from 'commander';
import { RuntimeError } from '../base/errors.js';
import { globalFlagsOf } from './global-flags.js';
import { commandName } from './launch.js';
import type { Output } from './output.js';

export function addToolCommand(program: Command, output: Output): void {
  program
    .command('tool')
    .description('Call one of the tools that clients are given, or list them.')
    .argument('[name]', 'the tool')
    // Words too many are taken in only to say what they should have been.
    .allowExcessArguments()
    // `tool NAME --help` is about the tool.
    .helpOption(false)
    .option('-l, --list', 'list the tools, by toolset')
    .option('-a, --arg <key=value>', 'one argument; again for more, or for another item of a list', collect)
    .option('-i, --input <json>', 'all arguments as a JSON object; @FILE or - (stdin) to read it from there')
    .option('-h, --help', 'print what the tool does and takes')
    .usage('NAME [--arg key=value ...] [--input JSON|@FILE|-] | NAME --help | --list')
    .addHelpText('after', examples)
    .action(async (name: string | undefined, options: ToolOptions, command: Command) => {
      const flags = globalFlagsOf(command);
      if (options.list) {
        const { listTools } = await import('./tool/tool.js');
        return listTools(flags, output);
      }
      if (name === undefined) {
        if (options.help) return command.outputHelp();
        throw noName();
      }
      if (options.help) {
        const { showTool } = await import('./tool/show-tool.js');
        return showTool(name, flags, output);
      }
      const [, stray] = command.args;
      if (stray !== undefined) throw strayWord(stray);
      const { runTool } = await import('./tool/tool.js');
      return runTool(name, { pairs: options.arg ?? [], input: options.input }, flags, output);
    });
}

interface ToolOptions {
  list?: boolean;
  help?: boolean;
  arg?: string[];
  input?: string;
}

const examples = `
Examples:
  ${commandName} tool --list
  ${commandName} tool create_task --help
  ${commandName} tool create_task --arg title="Write the parser" --arg priority=8 --arg dependencies=1 --arg dependencies=2
  ${commandName} tool submit_background_task --arg task_description="Say hi" --arg model_params.max_tokens=100
  ${commandName} tool create_tasks --input @tasks.json --json

A value is read as the tool's own schema wants it: a list is given as JSON or by repeating --arg, an object as JSON or
with dots. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict with another's work.
`;

function collect(pair: string, before: string[] = []): string[] {
  return [...before, pair];
}

function noName(): RuntimeError {
  return new RuntimeError('invalid', 'No tool is named.', `\`${commandName} tool --list\` lists them.`);
}

function strayWord(word: string): RuntimeError {
  const hint = word.includes('=') ? `Write --arg ${JSON.stringify(word)}.` : 'Arguments are given as --arg key=value.';
  return new RuntimeError('invalid', `Unexpected ${JSON.stringify(word)} after the tool's name.`, hint);
}
