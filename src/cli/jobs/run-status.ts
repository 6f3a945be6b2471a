import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { readStatus } from './read-status.js';
import { renderStatus, toDocument } from './show-status.js';

/** A program gets JSON, as from the earlier job server, without asking for it. */
export async function runStatus(id: string, flags: GlobalFlags, output: Output): Promise<void> {
  const job = await withCaller(settingOf(flags), flags, output, (caller) => readStatus(id, caller));
  if (flags.isJson || !output.isTerminal) output.printJson(toDocument(job));
  else output.print(renderStatus(job, output.paint));
}
