import { parseInput } from '../../tools/call/parse-input.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { settingOf } from '../with-runtime.js';
import { findTool } from './find-tool.js';
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
