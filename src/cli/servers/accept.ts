import type { CommandContext } from '../define-command.js';
import { callerOf, settingOf, withRuntime } from '../with-runtime.js';

/**
 * Accepts a server's tools as they were last listed. A command and no tool: a description that has changed may tell a
 * model to accept it.
 */
export async function acceptServer({ server }: { server: string }, { flags, output }: CommandContext): Promise<void> {
  const setting = settingOf(flags);
  const accepted = await withRuntime(setting, (runtime) => runtime.downstream.accept(server, callerOf(setting.config)));
  if (flags.isJson) output.printJson({ server, accepted });
  else if (accepted.length === 0) output.quote(`No tool of ${server} has changed.`);
  else output.quote(`Accepted ${accepted.length} changed tools of ${server}: ${accepted.join(', ')}.`);
}
