import { RuntimeError } from '../base/errors.js';
import type { GlobalFlags } from './global-flags.js';
import type { Output } from './output.js';
import { callerOf, settingOf, withRuntime } from './with-runtime.js';

export async function runPurge(olderThan: string, flags: GlobalFlags, output: Output): Promise<void> {
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

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of an age such as `30d`. Throws `invalid`. */
export function parseAge(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text.trim()) ?? [];
  if (count !== undefined) return Number(count) * (units[unit] ?? 0);
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(text)} is not an age.`,
    'Give a number with m, h, d or w, such as 30d.',
  );
}
