import { RuntimeError } from '../../base/errors.js';
import { completeId } from '../../core/overview/complete-id.js';
import type { Runtime } from '../../runtime.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { parseInput } from '../../tools/call/parse-input.js';
import { chooseTools, chosenToolsets, toolsets } from '../../tools/index.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { printable } from '../output.js';
import { readSettings } from '../read-settings.js';
import { readSettingOf, settingOf } from '../with-runtime.js';
import { findTool } from './find-tool.js';
import { type GivenInput, readInput } from './read-input.js';
import { renderResult } from './render-result.js';
import { showTool } from './show-tool.js';
import { withCaller } from './with-caller.js';

export interface ToolOptions extends GivenInput {
  name: string | undefined;
  isList: boolean;
  isHelp: boolean;
}

/** Lists the tools, shows the help of one, or calls one. */
export async function runTool({ name, isList, isHelp, ...given }: ToolOptions, context: CommandContext): Promise<void> {
  if (isList) return listTools(context);
  if (name === undefined) {
    if (isHelp) return context.printHelp();
    throw new RuntimeError('invalid', 'No tool is named.', `\`${commandName} tool --list\` lists them.`);
  }
  if (isHelp) return showTool(name, context);
  const [word] = context.excessWords;
  if (word !== undefined) throw excessWord(word);
  await callTool(name, given, context);
}

function excessWord(word: string): RuntimeError {
  const hint = word.includes('=') ? `Write --arg ${JSON.stringify(word)}.` : 'Give arguments as --arg key=value.';
  return new RuntimeError('invalid', `Unexpected ${JSON.stringify(word)} after the name of the tool.`, hint);
}

/** Calls a tool as a client would, and prints its result. The arguments are checked before the database is opened. */
async function callTool(name: string, given: GivenInput, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const tool = findTool(name, readSettings(flags.settings));
  const setting = tool.effect === 'read' ? readSettingOf(flags) : settingOf(flags);
  const input = parseInput(tool, await readInput(tool, given), (text) => {
    if (!flags.isQuiet) output.say(printable(text));
  });
  const result = await withCaller(setting, flags, output, async ({ call, runtime }) =>
    call(tool, await withWholeIds(input, runtime)),
  );
  if (wantsJson) output.printJson(result);
  else if (tool.text) output.quote([tool.text(result), ...(tool.facts ? [tool.facts(result)] : [])].join('\n'));
  else output.print(renderResult(result, { width: output.columns(), paint: output.paint }));
}

/** The input with whole ids where a job or a relay is named by the beginning of its id. */
async function withWholeIds(input: Record<string, unknown>, { db }: Runtime): Promise<Record<string, unknown>> {
  const whole = { ...input };
  for (const [name, kind] of [
    ['job_id', 'job'],
    ['pipeline_id', 'relay'],
  ] as const) {
    const given = input[name];
    if (typeof given === 'string') whole[name] = await completeId(db, kind, given);
  }
  return whole;
}

/** Prints the tools that are switched on, by toolset. */
function listTools({ flags, output, wantsJson }: CommandContext): void {
  const choice = readSettings(flags.settings);
  const offered = new Set(chooseTools(choice));
  const groups = chosenToolsets(choice.toolsets).map((toolset) => ({
    toolset,
    tools: toolsets[toolset].filter((tool: AnyTool) => offered.has(tool)),
  }));
  if (wantsJson) {
    const tools = groups.flatMap(({ toolset, tools }) => tools.map((tool) => toDocument(tool, toolset)));
    output.printJson({ tools, count: tools.length });
    return;
  }
  for (const { toolset, tools } of groups) {
    output.print(output.paint('bold', toolset));
    for (const { name, title } of tools) output.print(`  ${name.padEnd(nameWidth)}${title}`);
    output.print('');
  }
  output.print(`${commandName} tool NAME --help prints what a tool does and takes.`);
}

/** Names have 30 characters at most. */
const nameWidth = 32;

function toDocument({ name, title, effect, description }: AnyTool, toolset: string) {
  return { name, title, toolset, effect, description };
}
