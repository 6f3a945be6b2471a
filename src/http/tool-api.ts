import { Hono } from 'hono';
import { messageOf, RuntimeError } from '../base/errors.js';
import { similarNames } from '../base/text.js';
import type { Actor } from '../core/actor.js';
import type { Runtime } from '../runtime.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import { convertFields, parsePairs } from '../tools/call/from-text.js';
import { inputSchema } from '../tools/call/input-schema.js';
import { contextOf, type RunOptions, runTool } from '../tools/call/run-tool.js';
import { errorResponse, failureResponse } from './failure.js';
import type { Env, Visitor } from './guard.js';
import type { OpenVisits } from './open-visits.js';

/**
 * The declared tools as `/api/tools/NAME`: POST with the arguments as JSON; those that only read also as GET, with the
 * arguments as `?name=value` or `?input=JSON`. The answer is the tool's result as it is declared.
 */
export function toolApi(
  tools: readonly AnyTool[],
  { runtime, visits }: { runtime: Runtime; visits: OpenVisits },
  options?: RunOptions,
): Hono<Env> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const schemas = new Map<string, ReturnType<typeof inputSchema>>();

  function find(name: string): AnyTool {
    const tool = byName.get(name);
    if (tool) return tool;
    const similar = similarNames(name, [...byName.keys()]);
    const hint = similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'GET /api/tools lists them.';
    throw new RuntimeError('not_found', `There is no tool ${JSON.stringify(name)}.`, hint);
  }

  function schemaOf(tool: AnyTool) {
    const schema = schemas.get(tool.name) ?? inputSchema(tool);
    schemas.set(tool.name, schema);
    return schema;
  }

  async function call(tool: AnyTool, given: unknown, visitor: Visitor, signal: AbortSignal): Promise<Response> {
    if (tool.effect !== 'read' && visitor.isReadOnly) {
      return errorResponse(403, {
        code: 'invalid',
        message: `${tool.name} changes things, and ${visitor.name} may only read.`,
        hint: 'Use a token that was made without --read-only.',
      });
    }
    return whileAllowed(visits, visitor, signal, async (signal) =>
      Response.json(await runTool(tool, given, contextOf(runtime, caller, { signal, rights: visitor }), options)),
    );
  }

  return new Hono<Env>()
    .get('/', (context) =>
      context.json({
        tools: tools
          .filter((tool) => tool.effect === 'read' || !context.get('visitor').isReadOnly)
          .map((tool) => ({
            name: tool.name,
            title: tool.title,
            effect: tool.effect,
            description: tool.description,
            input: schemaOf(tool),
          })),
      }),
    )
    .get('/:name', async (context) => {
      const tool = find(context.req.param('name'));
      if (tool.effect !== 'read') {
        throw new RuntimeError('invalid', `${tool.name} changes things.`, 'Call it with POST.');
      }
      const given = fromQuery(schemaOf(tool), new URL(context.req.url).searchParams);
      return call(tool, given, context.get('visitor'), context.req.raw.signal);
    })
    .post('/:name', async (context) => {
      const tool = find(context.req.param('name'));
      return call(tool, await bodyOf(context.req.raw), context.get('visitor'), context.req.raw.signal);
    })
    .onError((error) => failureResponse(error));
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
  message: 'The token of this call was revoked while it was under way.',
  hint: 'What it had written stays. Ask the owner for another token.',
} as const;

/** A caller over HTTP has no session whose heartbeat renews its claims: they last as long as their lease. */
const caller: Actor = { holder: null, project: '' };

function fromQuery(schema: ReturnType<typeof inputSchema>, query: URLSearchParams): unknown {
  const whole = query.get('input');
  if (whole !== null) return readJson(whole, 'input');
  const pairs = [...query].map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? {} : convertFields(schema, parsePairs(pairs));
}

async function bodyOf(request: Request): Promise<unknown> {
  const text = await request.text();
  return text.trim() === '' ? {} : readJson(text, 'The body');
}

function readJson(text: string, what: string): unknown {
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
