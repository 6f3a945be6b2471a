import type { Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { AnyTool } from '../tools/define-tool.js';

/**
 * A declaration as MCP lists it (MCP spec 2025-11-25, tools). Output schemas are not listed: they would double what
 * every client reads at its start, and results carry their structure with or without them.
 */
export function describeTool(tool: AnyTool): ToolDescription {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: inputSchemaOf(tool),
    annotations: {
      title: tool.title,
      readOnlyHint: tool.effect === 'read',
      destructiveHint: tool.effect === 'destroy',
      idempotentHint: tool.effect === 'read' || (tool.isIdempotent ?? false),
      openWorldHint: tool.isExternal ?? false,
    },
    ...(tool.isEntry ? { _meta: { 'anthropic/alwaysLoad': true } } : {}),
  };
}

/** The input as JSON schema, without what only repeats: the dialect, and a pattern beside the format it spells out. */
export function inputSchemaOf(tool: AnyTool): ToolDescription['inputSchema'] {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, {
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.propertyNames;
    },
  });
  return schema as ToolDescription['inputSchema'];
}
