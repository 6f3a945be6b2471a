import { messageOf, RuntimeError } from '../base/errors.js';
import { similarNames } from '../base/text.js';
import { personNamed } from '../core/actor.js';
import type { Runtime } from '../runtime.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import { contextOf, type RunOptions, runTool } from '../tools/call/run-tool.js';
import { errorResponse } from './failure.js';
import type { Visitor } from './guard.js';
import type { OpenVisits } from './open-visits.js';

export interface ToolCallNeeds {
  runtime: Runtime;
  visits: OpenVisits;
}

/** How every address calls a tool: with the rights of the visitor, and no longer than these last. */
export interface ToolCalls {
  /** Throws `not_found` for a tool that is not offered here. */
  find(name: string): AnyTool;
  /** The result as JSON, or a refusal. Throws what the tool throws. */
  call(tool: AnyTool, given: unknown, visitor: Visitor, signal: AbortSignal): Promise<Response>;
}

export function createToolCalls(
  tools: readonly AnyTool[],
  { runtime, visits }: ToolCallNeeds,
  options?: RunOptions,
): ToolCalls {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return {
    find(name) {
      const tool = byName.get(name);
      if (tool) return tool;
      const similar = similarNames(name, [...byName.keys()]);
      const hint = similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'GET /api/tools lists them.';
      throw new RuntimeError('not_found', `There is no tool ${JSON.stringify(name)}.`, hint);
    },

    async call(tool, given, visitor, signal) {
      // A caller over HTTP has no session whose heartbeat renews its claims: they last as long as their lease.
      if (tool.effect !== 'read' && visitor.isReadOnly) {
        return errorResponse(403, {
          code: 'invalid',
          message: `${tool.name} changes things, and ${visitor.name} may only read.`,
          hint: visitor.issued
            ? 'Log in again and ask for the right to write.'
            : 'Use a token that was made without --read-only.',
        });
      }
      return whileAllowed(visits, visitor, signal, async (signal) =>
        Response.json(
          await runTool(
            tool,
            given,
            contextOf(runtime, personNamed(visitor.name), { signal, rights: visitor }),
            options,
          ),
        ),
      );
    },
  };
}

/** From then on a call is ended with the rights of its caller. A shorter one has ended by itself. */
const longMs = 1_000;

/** Cancels a long call when the caller's token or browser session ends, and says so at once. */
async function whileAllowed(
  visits: OpenVisits,
  visitor: Visitor,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const ending = new AbortController();
  let leave = () => {};
  const refusal = new Promise<Response>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(errorResponse(401, rightsEnded)));
  });
  const timer = setTimeout(() => {
    leave = visits.add(visitor, () => ending.abort());
  }, longMs);
  try {
    return await Promise.race([call(AbortSignal.any([signal, ending.signal])), refusal]);
  } finally {
    clearTimeout(timer);
    leave();
  }
}

const rightsEnded = {
  code: 'cancelled',
  message: 'The token of this call has ended or was revoked while it was under way.',
  hint: 'What it had written stays. Ask the owner for another token.',
} as const;

/** The JSON of a request's body; an empty one stands for no arguments. */
export async function bodyOf(request: Request): Promise<unknown> {
  const text = await request.text();
  return text.trim() === '' ? {} : readJson(text, 'The body');
}

export function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuntimeError(
      'invalid',
      `${what} is not JSON: ${messageOf(error)}`,
      'Send the arguments as {"name": value, ...}.',
    );
  }
}
