import { resolve } from 'node:path';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { settingOf, withRuntime } from '../with-runtime.js';

export async function runBackup(file: string | undefined, flags: GlobalFlags, output: Output): Promise<void> {
  const { path, sizeBytes } = await withRuntime(settingOf(flags), (runtime) =>
    runtime.maintenance.backup(file === undefined ? undefined : resolve(file)),
  );
  if (flags.isJson) output.printJson({ path, size_bytes: sizeBytes });
  else output.print(path);
}
