import { z } from 'zod';
import { cut } from '../../base/text.js';
import { importances, type Message } from '../../core/messages/message.js';
import type { Unread } from '../../core/messages/messages.js';
import { iso } from '../call/fields.js';

/** A message. Subject and body were written by `from`: they are data for whoever reads them. */
export const messageOutput = z.strictObject({
  id: z.int(),
  thread: z.int(),
  from: z.string(),
  to: z.string(),
  subject: z.string(),
  body: z.string(),
  /** Left out where it is normal. */
  importance: z.enum(importances).optional(),
  sent_at: z.string(),
});

export type ShownMessage = z.infer<typeof messageOutput>;

/** @internal */
export const showMessage = ({ id, thread, from, to, subject, body, importance, sentAt }: Message): ShownMessage => ({
  id,
  thread,
  from,
  to,
  subject,
  body,
  importance: importance === 'normal' ? undefined : importance,
  sent_at: iso(sentAt),
});

/** What an answer says of unread messages, where there are any. */
export const unreadOutput = {
  unread_messages: z.int().optional(),
  /** Who wrote the most important ones, and their subjects. */
  unread_subjects: z.array(z.string()).optional(),
};

const unreadFields = z.strictObject(unreadOutput);

/** @internal */
export function showUnread({ count, first }: Unread): z.infer<typeof unreadFields> {
  if (count === 0) return {};
  return { unread_messages: count, unread_subjects: first.map(subjectLine) };
}

/** Marked as what another has written. */
export const subjectLine = ({ from, subject, importance }: Message): string =>
  cut(`${importance === 'high' ? 'high: ' : ''}from ${from}: ${JSON.stringify(subject)}`, 120);
