import { readConfig } from '../../config.js';
import type { AnyTool } from '../../tools/define-tool.js';
import { chooseTools, chosenToolsets, toolsets } from '../../tools/index.js';
import { commandName } from '../connect-lines.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';

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
