import type { JsonObject } from '../../base/json.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { inputSchema } from '../../tools/call/input-schema.js';
import { type CoordinatorRoute, coordinatorRoutes } from '../coordinator-routes.js';
import { answered, json, outputSchema, schemaName, schemaOf } from './parts.js';

/** The addresses of the task coordinator that these tools answer, as they are under `paths`. */
export function coordinatorAddresses(tools: readonly AnyTool[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of coordinatorRoutes) {
    const tool = tools.find(({ name }) => name === route.tool);
    if (!tool) continue;
    const method = route.method.toLowerCase();
    paths[route.path] = { ...paths[route.path], [method]: operation(route, tool) };
  }
  return paths;
}

function operation(route: CoordinatorRoute, tool: AnyTool): JsonObject {
  const body = bodyOf(route, tool);
  return {
    operationId: `coordinator_${route.method}_${route.path.slice('/api/'.length)}`.toLowerCase().replaceAll('-', '_'),
    tags: ['task coordinator'],
    summary: tool.title,
    ...(body === undefined ? {} : { requestBody: { content: json(body) } }),
    responses: answered(answerOf(route, tool), 'RefusedToCoordinator'),
  };
}

function bodyOf({ method, body }: CoordinatorRoute, tool: AnyTool): JsonObject | undefined {
  if (method === 'GET') return undefined;
  return body ? (body(inputSchema(tool)) as JsonObject | undefined) : schemaOf(schemaName(tool.name, 'Input'));
}

const succeeded: JsonObject = { type: 'object', required: ['success'], properties: { success: { const: true } } };

function answerOf({ list, answer }: CoordinatorRoute, tool: AnyTool): JsonObject {
  if (list === undefined) return { allOf: [succeeded, schemaOf(schemaName(tool.name, 'Output'))] };
  const items = listOf(tool, list);
  if (answer) return items;
  const next_cursor = { type: 'string', description: 'There are more, which the tool itself lists.' };
  const properties = { [list]: items, count: { type: 'integer' }, next_cursor };
  return { allOf: [succeeded, { type: 'object', required: [list, 'count'], properties }] };
}

/** The schema of a list that the tool's result has. */
function listOf(tool: AnyTool, list: string): JsonObject {
  const { properties } = outputSchema(tool.output) as { properties: Record<string, JsonObject> };
  return properties[list] ?? { type: 'array' };
}
