import type { CommandContext } from './define-command.js';
import { parseAge } from './options.js';
import { callerOf, settingOf, withRuntime } from './with-runtime.js';

/** Deletes what ended before an age such as `30d`, after a backup. */
export async function runPurge({ olderThan }: { olderThan: string }, { flags, output }: CommandContext): Promise<void> {
  const age = parseAge(olderThan);
  const setting = settingOf(flags);
  const purged = await withRuntime(setting, async (runtime) => {
    const { path } = await runtime.maintenance.backup(undefined, 'before-purge');
    const before = runtime.clock.now() - age;
    return {
      ...(await runtime.maintenance.purge(before, callerOf(setting.config))),
      before: new Date(before).toISOString(),
      backup: path,
    };
  });
  if (flags.isJson) {
    output.printJson(purged);
    return;
  }
  const { before, backup, ...counts } = purged;
  const parts = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  output.print(`Deleted what ended before ${before}: ${parts.join(', ')}.`);
  output.print(`Backup: ${backup}`);
}
