import { Hono } from 'hono';
import { RuntimeError } from '../base/errors.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import { convertFields, parsePairs } from '../tools/call/from-text.js';
import { inputSchema } from '../tools/call/input-schema.js';
import type { RunOptions } from '../tools/call/run-tool.js';
import { failureResponse } from './failure.js';
import type { Env } from './guard.js';
import { bodyOf, createToolCalls, readJson, type ToolCallNeeds } from './tool-calls.js';

/**
 * The declared tools as `/api/tools/NAME`: POST with the arguments as JSON; those that only read also as GET, with the
 * arguments as `?name=value` or `?input=JSON`. The answer is the tool's result as it is declared.
 */
export function toolApi(tools: readonly AnyTool[], needs: ToolCallNeeds, options?: RunOptions): Hono<Env> {
  const { find, call } = createToolCalls(tools, needs, options);
  const schemas = new Map<string, ReturnType<typeof inputSchema>>();

  function schemaOf(tool: AnyTool) {
    const schema = schemas.get(tool.name) ?? inputSchema(tool);
    schemas.set(tool.name, schema);
    return schema;
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

function fromQuery(schema: ReturnType<typeof inputSchema>, query: URLSearchParams): unknown {
  const whole = query.get('input');
  if (whole !== null) return readJson(whole, 'input');
  const pairs = [...query].map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? {} : convertFields(schema, parsePairs(pairs));
}
