import { z } from 'zod';
import { messageOutput } from '../../tools/shapes/message.js';

/** `messages`: a page of all messages, newest first. */
export const messagePage = z.strictObject({ messages: z.array(messageOutput), next_cursor: z.string().optional() });

export type MessagePage = z.infer<typeof messagePage>;
