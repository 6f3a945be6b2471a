import type { Command } from 'commander';
import { type GlobalFlags, globalFlagsOf } from './global-flags.js';
import {
  type ArgumentOf,
  type OptionOf,
  readArguments,
  readOptions,
  toCommanderOption,
  type ValuesOf,
} from './options.js';
import { type Output, printable } from './output.js';

/** What a handler gets beside its own arguments and options. */
export interface CommandContext {
  flags: GlobalFlags;
  output: Output;
  /** Whether to print one JSON document: asked for with --json, or because a program reads it. */
  wantsJson: boolean;
  /** Words after the declared arguments; empty unless the command has `allowsExcessWords`. */
  excessWords: readonly string[];
  /** Prints the help of the command. */
  printHelp(): void;
}

type Handler<Input> = (input: Input, context: CommandContext) => void | Promise<void>;
type Arguments = Readonly<Record<string, ArgumentOf<unknown>>>;
type Options = Readonly<Record<string, OptionOf<unknown>>>;

interface CommandTexts {
  /** One word. A command of a set is called after the name of the set. */
  name: string;
  /** A sentence or two in plain words; the help and the README print it. */
  description: string;
  /** Replaces commander's own usage line, after the command's name. */
  usage?: string;
  /** Text below the options in the help. */
  helpAfter?: string;
  /** For a command that handles `--help` itself. */
  hasOwnHelp?: boolean;
  allowsExcessWords?: boolean;
  /** The command of a set that runs when its name is left out. */
  isDefault?: boolean;
  /** Says by itself what is most likely a mistake in the settings: a server in its log, `doctor` as a finding. */
  logsWarnings?: boolean;
}

export interface DefinedCommand extends CommandTexts {
  arguments: Arguments;
  options: Options;
  /** Loads the handler and calls it with what commander has stored. */
  run(
    stored: { arguments: readonly unknown[]; options: Readonly<Record<string, unknown>> },
    context: CommandContext,
  ): Promise<void>;
}

/** Commands after one word, such as `token create` and `token list`. */
export interface CommandSet {
  name: string;
  description: string;
  commands: readonly DefinedCommand[];
}

/**
 * Declares a command. The parser, the help, the README's table and the type of the handler's input follow from it. The
 * handler's module is loaded when the command runs, so that `--help` and other commands do not load it.
 */
export function defineCommand<Args extends Arguments, Opts extends Options>(
  declaration: CommandTexts & {
    /** In the order of the command line. */
    arguments?: Args;
    options?: Opts;
    load(): Promise<Handler<ValuesOf<Args> & ValuesOf<Opts>>>;
  },
): DefinedCommand {
  const { arguments: args, options, load, ...texts } = declaration;
  return {
    ...texts,
    arguments: args ?? {},
    options: options ?? {},
    async run(stored, context) {
      const handler = await load();
      await handler({ ...readArguments(args, stored.arguments), ...readOptions(options, stored.options) }, context);
    },
  };
}

/** Adds a declared command to the program, or to the command of its set. */
export function addCommand(parent: Command, declared: DefinedCommand, output: Output): Command {
  const command = parent
    .command(declared.name, { isDefault: declared.isDefault === true })
    .description(declared.description);
  for (const [name, { description, isRequired }] of Object.entries(declared.arguments)) {
    command.argument(isRequired ? `<${name}>` : `[${name}]`, description);
  }
  if (declared.hasOwnHelp) command.helpOption(false);
  for (const option of Object.values(declared.options)) command.addOption(toCommanderOption(option));
  if (declared.usage !== undefined) command.usage(declared.usage);
  if (declared.helpAfter !== undefined) command.addHelpText('after', declared.helpAfter);
  command.allowExcessArguments(declared.allowsExcessWords === true);
  return command.action(async () => {
    const flags = globalFlagsOf(command);
    if (!declared.logsWarnings && !flags.isQuiet) await warnOfSettings(output);
    await declared.run(
      { arguments: command.processedArgs, options: command.opts() },
      {
        flags,
        output,
        wantsJson: flags.isJson || !output.isTerminal,
        excessWords: command.args.slice(Object.keys(declared.arguments).length),
        printHelp: () => command.outputHelp(),
      },
    );
  });
}

/** Names the variables that are most likely misspelt: who wrote one believes that it works. */
async function warnOfSettings(output: Output): Promise<void> {
  const { environmentWarnings } = await import('../config.js');
  for (const warning of environmentWarnings()) {
    output.say(`${output.paintAside('yellow', 'warning:')} ${printable(warning)}`);
  }
}

/** Adds the command of a set, which only holds the commands of the set. */
export function addCommandSet(program: Command, { name, description, commands }: CommandSet, output: Output): Command {
  const parent = program.command(name).description(description);
  for (const command of commands) addCommand(parent, command, output);
  return parent;
}
