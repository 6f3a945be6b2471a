import { setTimeout as sleep } from 'node:timers/promises';
import { newestEventId } from '../../core/events/events.js';
import type { CommandContext } from '../define-command.js';
import type { Output } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { readSettingOf } from '../with-runtime.js';

/** Prints a view of the board, to `output` rather than to that of the command. */
export type Draw = (caller: Caller, output: Output) => Promise<void>;

const pollMs = 300;
/** Times are shown as seen from now, so a view is drawn anew without a change too. */
const redrawMs = 20_000;

/**
 * Draws a view once; with `isWatched`, again after each change of the board, until Ctrl-C. A terminal shows the newest
 * one alone; a program gets each as one line of JSON.
 */
export async function drawWatched(isWatched: boolean, context: CommandContext, draw: Draw): Promise<void> {
  const { flags, output, wantsJson } = context;
  const setting = readSettingOf(flags);
  if (!isWatched) return withCaller(setting, flags, output, (caller) => draw(caller, output));
  const watch = async (caller: Caller): Promise<void> => {
    let drawn = '';
    let drawnAt = 0;
    while (!caller.signal.aborted) {
      const state = `${await newestEventId(caller.runtime.db)} ${output.columns()}`;
      if (state !== drawn || (!wantsJson && performance.now() - drawnAt >= redrawMs)) {
        const text = await textOf(caller, context, draw);
        output.write(wantsJson ? text : `${clearScreen}${text}\n${output.paint('dim', 'Ctrl-C ends it.')}\n`);
        drawn = state;
        drawnAt = performance.now();
      }
      await sleep(pollMs, undefined, { signal: caller.signal }).catch(() => {});
    }
  };
  await withCaller(setting, flags, output, watch, { isAnnounced: false });
}

/** Moves the cursor to the upper left corner and clears what is below it, which is all of the screen. */
const clearScreen = '\u001b[H\u001b[J';

/** What is drawn, as text; a JSON document on one line. */
async function textOf(caller: Caller, { output }: CommandContext, draw: Draw): Promise<string> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  await draw(caller, {
    ...output,
    write,
    print: (line) => write(`${line}\n`),
    quote: (line) => write(`${line}\n`),
    printJson: (value) => write(`${JSON.stringify(value)}\n`),
  });
  return text;
}
