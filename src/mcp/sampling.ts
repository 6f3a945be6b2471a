import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { messageOf, RuntimeError } from '../base/errors.js';

const longestAnswerTokens = 4_096;
const longestWaitMs = 45_000;

/** A way to ask the client's own model, if the client has said that servers may (MCP spec 2025-11-25, sampling). */
export function samplerOf(server: Server, signal: AbortSignal): ((prompt: string) => Promise<string>) | undefined {
  if (!server.getClientCapabilities()?.sampling) return undefined;
  return async (prompt) => {
    try {
      const answer = await server.createMessage(
        { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: longestAnswerTokens },
        { signal, timeout: longestWaitMs },
      );
      const parts = Array.isArray(answer.content) ? answer.content : [answer.content];
      return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    } catch (error) {
      const reason = messageOf(error);
      throw new RuntimeError('unavailable', `The client's model gave no answer: ${reason}`, undefined, {
        cause: error,
      });
    }
  };
}
