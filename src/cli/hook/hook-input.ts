import { isObject } from '../../base/json.js';
import type { Actor } from '../../core/actor.js';
import { nameSession } from '../../core/coordination/sessions.js';
import type { CommandContext } from '../define-command.js';
import { logOf } from '../global-flags.js';
import { readSettings } from '../read-settings.js';
import { callerOf, type Setting } from '../with-runtime.js';

/** What Claude Code says to a hook, as far as it is used here (code.claude.com/docs/en/hooks, hook input). */
export interface HookInput {
  session_id?: unknown;
  cwd?: unknown;
  transcript_path?: unknown;
  trigger?: unknown;
}

/** The settings of a hook, and the conversation for which it runs. */
export interface HookCall {
  setting: Setting;
  actor: Actor;
  input: HookInput;
}

/**
 * Runs a hook for its conversation; not for one that this program has started itself. Whatever fails, the exit code is 1:
 * with 2, Claude Code would hold back what the hook belongs to, such as a compaction.
 */
export async function answerHook(
  { flags, output }: CommandContext,
  answer: (call: HookCall) => Promise<void>,
): Promise<void> {
  try {
    const input = await readInput();
    const config = readSettings(flags.settings);
    if (config.depth > 0) return;
    await answer({ setting: { config, log: logOf(flags, config) }, actor: actorOf(config, input), input });
  } catch (error) {
    output.say(`agent-runtime: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/** Claude Code names the conversation in the environment and in the hook's input. */
function actorOf(config: Setting['config'], { session_id, cwd }: HookInput): Actor {
  if (config.clientSessionId || typeof session_id !== 'string' || session_id === '') return callerOf(config);
  const project = config.project || (typeof cwd === 'string' ? cwd : '');
  return nameSession({ clientSessionId: session_id, project });
}

async function readInput(): Promise<HookInput> {
  if (process.stdin.isTTY) return {};
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  if (text.trim() === '') return {};
  const input: unknown = JSON.parse(text);
  return isObject(input) ? input : {};
}
