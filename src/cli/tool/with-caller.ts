import type { Actor } from '../../core/actor.js';
import type { Runtime } from '../../runtime.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { contextOf, runTool } from '../../tools/call/run-tool.js';
import type { GlobalFlags } from '../global-flags.js';
import { createInterruption } from '../interruption.js';
import { type Output, printable } from '../output.js';
import { callerOf, type Setting, withRuntime } from '../with-runtime.js';

/** What a command needs to act as a client of the tools. */
export interface Caller {
  runtime: Runtime;
  actor: Actor;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Calls a tool as a client would. */
  call(tool: AnyTool, given: Record<string, unknown>): Promise<unknown>;
}

export interface CallerOptions {
  /** Whether Ctrl-C prints that a second one ends the command at once. False for a command that ends at once anyway. */
  isAnnounced?: boolean;
}

/** Opens the runtime, runs `body` and closes the runtime. Ctrl-C aborts the signal that `body` gets. */
export async function withCaller<Result>(
  setting: Setting,
  { isQuiet }: GlobalFlags,
  output: Output,
  body: (caller: Caller) => Promise<Result>,
  options: CallerOptions = {},
): Promise<Result> {
  // Before the database is opened: a Ctrl-C in between must not end the process with the database open.
  const interruption = createInterruption(output, options);
  const { signal } = interruption;
  return withRuntime(setting, async (runtime) => {
    const caller = callerOf(setting.config);
    const hasHeartbeat = caller.holder !== null && (await runtime.sessions.isAlive(caller.holder));
    const actor: Actor = { ...caller, hasHeartbeat };
    const context = contextOf(runtime, actor, {
      signal,
      progress(message) {
        if (!isQuiet) output.say(printable(message));
      },
    });
    async function call(tool: AnyTool, given: Record<string, unknown>): Promise<unknown> {
      // Without a session, no other process recovers the claims of dead sessions or starts runners for the queue.
      if (tool.effect !== 'read') await runtime.maintenance.runOnce(undefined, caller);
      return runTool(tool, given, context);
    }
    return body({ runtime, actor, signal, call });
  }).finally(interruption.end);
}
