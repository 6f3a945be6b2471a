import { text as textOf } from 'node:stream/consumers';
import { z } from 'zod';
import type { Importance } from '../../core/messages/message.js';
import { findTool } from '../../tools/index.js';
import { type ShownMessage, showMessage } from '../../tools/shapes/message.js';
import type { CommandContext } from '../define-command.js';
import type { Output } from '../output.js';
import { printable } from '../output.js';
import { oneLine, relativeIso } from '../table.js';
import { withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { drawWatched } from './watched.js';
import { withinProject } from './within-project.js';

export interface MessagesOptions {
  /** Messages of every project, rather than of this one and of none. */
  isAll: boolean;
  thread: number | undefined;
  limit: number;
  isWatched: boolean;
}

/** Prints messages, whoever they are for; those of a thread oldest first. For people: nothing is marked as read. */
export async function runMessages(
  { isAll, thread, limit, isWatched }: MessagesOptions,
  context: CommandContext,
): Promise<void> {
  await drawWatched(isWatched, context, async ({ runtime: { messages, clock, config } }, output) => {
    const found = await messages.list({ thread, withinProject: withinProject(config, isAll), limit: limit + 1 });
    const newest = found.slice(0, limit).map(showMessage);
    const shown = thread === undefined ? newest : newest.toReversed();
    const hasMore = found.length > limit;
    if (context.wantsJson) output.printJson({ messages: shown, count: shown.length, has_more: hasMore });
    else if (shown.length === 0) output.print('There are no messages here; `message send --to all` sends one.');
    else {
      output.print(shown.map((message) => renderMessage(message, clock.now(), output.paint)).join('\n\n'));
      if (hasMore) output.print(`\nThese are the newest ${limit}; --limit shows more.`);
    }
  });
}

function renderMessage(message: ShownMessage, now: number, paint: Output['paint']): string {
  const { id, thread, from, to, subject, body, importance, sent_at } = message;
  const facts = [
    relativeIso(sent_at, now),
    ...(thread === id ? [] : [`thread ${thread}`]),
    ...(importance === undefined ? [] : [`${importance} importance`]),
  ].join(', ');
  const head = `${id}  ${oneLine(from)} to ${oneLine(to)}  ${paint('dim', facts)}`;
  return [
    head,
    paint('bold', `    ${oneLine(subject)}`),
    ...printable(body)
      .split('\n')
      .map((line) => `    ${line}`),
  ].join('\n');
}

export interface SendOptions {
  to: string;
  subject: string;
  body: string | undefined;
  thread: number | undefined;
  importance: Importance | undefined;
}

const sent = z.object({ id: z.int(), to: z.string() });

/** Sends a message: from the user, or from the session in whose shell it runs. */
export async function runSendMessage({ body, ...message }: SendOptions, context: CommandContext): Promise<void> {
  const { flags, output } = context;
  const given = { ...message, body: body ?? (await textOf(process.stdin)) };
  await withCaller(settingOf(flags), flags, output, async ({ call }) => {
    const answer = sent.parse(await call(findTool('send_message'), withoutGaps(given)));
    if (context.wantsJson) output.printJson(answer);
    else output.print(`Message ${answer.id} is sent to ${oneLine(answer.to)}.`);
  });
}

const withoutGaps = (given: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
