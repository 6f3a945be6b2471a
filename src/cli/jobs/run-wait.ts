import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { waitForEnd } from './wait-for-end.js';

export async function runWait(id: string, flags: GlobalFlags, output: Output): Promise<void> {
  await withCaller(settingOf(flags), flags, output, (caller) => waitForEnd(id, caller, flags, output), {
    isAnnounced: false,
  });
}
