import { readConfig } from '../../base/config.js';
import { reportError } from '../../base/errors.js';
import type { ToolContext } from '../../tools/define-tool.js';
import { parseInput } from '../../tools/parse-input.js';
import { callerOf } from '../caller.js';
import { type GlobalFlags, logOf } from '../global-flags.js';
import { createInterruption } from '../interruption.js';
import { type Output, printable } from '../output.js';
import { findTool } from './find-tool.js';
import { type GivenInput, readInput } from './read-input.js';

/** Calls a tool as a client would, and prints its result. Nothing is opened before the arguments are known to be good. */
export async function runTool(name: string, given: GivenInput, flags: GlobalFlags, output: Output): Promise<void> {
  const config = readConfig(flags.settings);
  const tool = findTool(name, config);
  const input = parseInput(tool, await readInput(tool, given));

  const { openRuntime } = await import('../../runtime.js');
  const interruption = createInterruption(output);
  const runtime = await openRuntime({ config, log: logOf(flags, config) });
  const caller = callerOf(config);
  const hasHeartbeat = caller.holder !== null && (await runtime.sessions.isAlive(caller.holder));
  const context: ToolContext = {
    runtime,
    actor: { ...caller, hasHeartbeat },
    sessionId: undefined,
    signal: interruption.signal,
    progress(message) {
      if (!flags.isQuiet) output.say(printable(message));
    },
    sample: undefined,
  };
  try {
    // No session may be there to take back what dead ones held, or to start runners for the queue.
    if (tool.effect !== 'read') await runtime.sweep(caller);
    runtime.requireSound();
    const result = await tool.handler(input, context);
    runtime.metrics.countToolCall(tool.name, 'ok');
    if (flags.isJson || !tool.text) output.printJson(result);
    else output.quote(tool.text(result));
  } catch (error) {
    runtime.metrics.countToolCall(tool.name, reportError(error).code);
    throw error;
  } finally {
    runtime.close();
    interruption.end();
  }
}
