import { z } from 'zod';
import { messageOf, RuntimeError } from '../base/errors.js';
import { cut } from '../base/text.js';
import type { AnyTool, ToolContext } from '../tools/call/define-tool.js';
import type { Exchange } from './exchange.js';

/** What a tool can do through a client: report progress, be cancelled, ask the client's model or its user. */
export function faceOf(exchange: Exchange): Partial<ToolContext> {
  const { progressToken, peer } = exchange;
  let count = 0;
  return {
    get signal() {
      return exchange.signal;
    },
    isWatched: progressToken !== undefined,
    progress(message) {
      if (progressToken === undefined) return;
      exchange.notify('notifications/progress', { progressToken, progress: ++count, message });
    },
    sample: peer.capabilities?.sampling ? samplerOf(exchange) : undefined,
    ...(takesForms(exchange) ? { confirm: confirmerOf(exchange) } : {}),
  };
}

const part = z.looseObject({ type: z.string(), text: z.string().optional() });
const sampleSchema = z.looseObject({ content: z.union([part, z.array(part)]) });
const confirmationSchema = z.looseObject({ action: z.enum(['accept', 'decline', 'cancel']) });

const longestSampleTokens = 4_096;
const longestSampleMs = 45_000;

/** Asks the client's own model, if the client has said that servers may (MCP spec 2025-11-25, sampling). */
function samplerOf(exchange: Exchange): ToolContext['sample'] {
  return async (prompt) => {
    try {
      const params = {
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: longestSampleTokens,
      };
      const given = await exchange.ask({ method: 'sampling/createMessage', params }, longestSampleMs);
      const { content } = readAnswer(sampleSchema, given);
      const parts = Array.isArray(content) ? content : [content];
      return parts.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
    } catch (error) {
      const message = `The client's model gave no answer: ${messageOf(error)}`;
      throw new RuntimeError('unavailable', message, undefined, { cause: error });
    }
  };
}

/** A client that names no kind of elicitation takes forms, as all did before there were others. */
function takesForms({ peer }: Exchange): boolean {
  const { elicitation } = peer.capabilities ?? {};
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** A person may have to be fetched, but a call that waits for nobody should end before its client gives it up. */
const longestConfirmationMs = 50_000;

/** Asks the user before something is lost (MCP spec 2025-11-25, elicitation). */
function confirmerOf(exchange: Exchange): NonNullable<ToolContext['confirm']> {
  return async (tool, input) => {
    const params = {
      mode: 'form',
      message: `${tool.title}? ${tool.description}\n${tool.name} ${cut(JSON.stringify(input), 300)}`,
      requestedSchema: { type: 'object', properties: {} },
    };
    const { action } = await ask(exchange, tool, params);
    if (action === 'accept') return;
    throw new RuntimeError(
      'cancelled',
      `The user ${action === 'decline' ? 'said no' : 'dismissed the question'}: ${tool.name} did nothing.`,
      'Do not call it again unless the user asks for it.',
    );
  };
}

async function ask(exchange: Exchange, tool: AnyTool, params: Record<string, unknown>) {
  try {
    const given = await exchange.ask({ method: 'elicitation/create', params }, longestConfirmationMs);
    return readAnswer(confirmationSchema, given);
  } catch (error) {
    throw new RuntimeError(
      'cancelled',
      `The user was asked whether ${tool.name} may go on, and there was no answer: ${messageOf(error)}. It did nothing.`,
      'Ask the user, then call it again.',
      { cause: error },
    );
  }
}

function readAnswer<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const { success, data } = schema.safeParse(given);
  if (success) return data;
  throw new Error(
    `its answer ${cut(JSON.stringify(given) ?? 'nothing', 80)} is not of the form that the protocol gives it`,
  );
}
