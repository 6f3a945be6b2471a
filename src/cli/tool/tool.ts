import { RuntimeError } from '../../base/errors.js';
import { nearest } from '../../base/text.js';
import { readConfig } from '../../config.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { parseInput } from '../../tools/call/parse-input.js';
import { chooseTools, chosenToolsets, type ToolChoice, toolsets } from '../../tools/index.js';
import type { GlobalFlags } from '../global-flags.js';
import { commandName } from '../launch.js';
import type { Output } from '../output.js';
import { settingOf } from '../with-runtime.js';
import { type GivenInput, readInput } from './read-input.js';
import { withCaller } from './with-caller.js';

/** Calls a tool as a client would, and prints its result. Nothing is opened before the arguments are known to be good. */
export async function runTool(name: string, given: GivenInput, flags: GlobalFlags, output: Output): Promise<void> {
  const setting = settingOf(flags);
  const tool = findTool(name, setting.config);
  const input = parseInput(tool, await readInput(tool, given));
  const result = await withCaller(setting, flags, output, ({ call }) => call(tool, input));
  if (flags.isJson || !tool.text) output.printJson(result);
  else output.quote(tool.text(result));
}

/** Prints the tools that are switched on, by toolset. */
export function listTools(flags: GlobalFlags, output: Output): void {
  const choice = readConfig(flags.settings);
  const offered = new Set(chooseTools(choice));
  const groups = chosenToolsets(choice.toolsets).map((toolset) => ({
    toolset,
    tools: toolsets[toolset].filter((tool: AnyTool) => offered.has(tool)),
  }));
  if (flags.isJson) {
    const tools = groups.flatMap(({ toolset, tools }) => tools.map((tool) => showTool(tool, toolset)));
    output.printJson({ tools, count: tools.length });
    return;
  }
  for (const { toolset, tools } of groups) {
    output.print(output.paint('bold', toolset));
    for (const { name, title } of tools) output.print(`  ${name.padEnd(nameWidth)}${title}`);
    output.print('');
  }
  output.print(`${commandName} tool NAME --help says what one does and takes.`);
}

/** Names have 30 characters at most. */
const nameWidth = 32;

function showTool({ name, title, effect, description }: AnyTool, toolset: string) {
  return { name, title, toolset, effect, description };
}

/** The tool of that name, if it is one of those that are switched on. Throws `invalid` with the near names. */
export function findTool(name: string, choice: ToolChoice): AnyTool {
  const offered = chooseTools(choice);
  const tool = offered.find((candidate) => candidate.name === name);
  if (tool) return tool;
  const all = chooseTools({ toolsets: 'all', isReadOnly: false });
  if (all.some((candidate) => candidate.name === name)) throw switchedOff(name, choice);
  const near = nearest(
    name,
    offered.map((candidate) => candidate.name),
  );
  throw new RuntimeError(
    'invalid',
    `There is no tool ${JSON.stringify(name)}.`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `\`${commandName} tool --list\` lists them.`,
  );
}

function switchedOff(name: string, { toolsets, isReadOnly }: ToolChoice): RuntimeError {
  const isChosen = chooseTools({ toolsets, isReadOnly: false }).some((tool) => tool.name === name);
  return isReadOnly && isChosen
    ? new RuntimeError(
        'invalid',
        `The tool ${name} changes things, and only reading is allowed.`,
        'Leave out --read-only, or unset AGENT_RUNTIME_READ_ONLY.',
      )
    : new RuntimeError(
        'invalid',
        `The tool ${name} is not in the toolsets ${JSON.stringify(toolsets)}.`,
        'Use --toolsets all, or change AGENT_RUNTIME_TOOLSETS.',
      );
}
