import type { JsonObject } from '../../base/json.js';
import { version } from '../../base/version.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { inputSchema } from '../../tools/call/input-schema.js';
import { toolsetPurposes, toolsets } from '../../tools/index.js';
import { addresses, addressSchemas } from './addresses.js';
import { coordinatorAddresses } from './coordinator-addresses.js';
import { answered, json, outputSchema, refusalSchemas, refusals, schemaName, schemaOf } from './parts.js';

/** The OpenAPI 3.1 description (spec.openapis.org/oas/v3.1.1) of `/api` with these tools. */
export function describeApi(tools: readonly AnyTool[], { needsToken }: { needsToken: boolean }): JsonObject {
  const bearer = { bearer: [] };
  return {
    openapi: '3.1.0',
    info: {
      title: 'agent-runtime-mcp',
      version,
      description:
        'Goals, tasks and background work that outlive a session. Every tool is a POST with its arguments as JSON; those ' +
        'that only read can also be called by GET, with `?name=value` or `?input=JSON`. Answers may get further fields.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: needsToken ? [bearer] : [bearer, {}],
    tags: tagsOf(tools),
    paths: { ...addresses, ...toolAddresses(tools), ...coordinatorAddresses(tools) },
    components: {
      schemas: { ...refusalSchemas, ...addressSchemas, ...toolSchemas(tools) },
      responses: refusals,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of `agent-runtime token create`.' },
      },
    },
  };
}

const toolsetOf = new Map(
  Object.entries(toolsets).flatMap(([toolset, tools]) => tools.map((tool) => [tool.name, toolset] as const)),
);

function tagsOf(tools: readonly AnyTool[]): JsonObject[] {
  const used = new Set(tools.map((tool) => toolsetOf.get(tool.name)));
  return [
    { name: 'server', description: 'the server itself' },
    ...Object.entries(toolsetPurposes)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    { name: 'task coordinator', description: 'the addresses of its server, for programs that were written for it' },
  ];
}

function toolAddresses(tools: readonly AnyTool[]): JsonObject {
  return Object.fromEntries(
    tools.map((tool) => [
      `/api/tools/${tool.name}`,
      {
        post: {
          operationId: tool.name,
          tags: [toolsetOf.get(tool.name) ?? 'server'],
          summary: tool.title,
          description: tool.description,
          requestBody: {
            required: tool.input.safeParse({}).error !== undefined,
            content: json(schemaOf(schemaName(tool.name, 'Input'))),
          },
          responses: answered(schemaOf(schemaName(tool.name, 'Output'))),
        },
      },
    ]),
  );
}

function toolSchemas(tools: readonly AnyTool[]): JsonObject {
  return Object.fromEntries(
    tools.flatMap((tool) => [
      [schemaName(tool.name, 'Input'), inputSchema(tool) as JsonObject],
      [schemaName(tool.name, 'Output'), outputSchema(tool.output)],
    ]),
  );
}
