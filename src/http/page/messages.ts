import { z } from 'zod';
import { mark } from '../../tools/call/fields.js';
import { messageOutput } from '../../tools/shapes/message.js';

/** `unread`: to the person, who has not marked it as read. */
const pageMessage = messageOutput.extend({ unread: mark });

export type PageMessage = z.infer<typeof pageMessage>;

/** `messages`: a page of all messages, newest first. */
export const messagePage = z.strictObject({ messages: z.array(pageMessage), next_cursor: z.string().optional() });

export type MessagePage = z.infer<typeof messagePage>;
