import type { Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import { inputSchema } from '../tools/call/from-text/input-schema.js';

/**
 * A declaration as MCP lists it (MCP spec 2025-11-25, tools). Output schemas are not listed: they would double what
 * every client reads at its start, and results carry their structure with or without them.
 */
export function describeTool(tool: AnyTool): ToolDescription {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: inputSchema(tool) as ToolDescription['inputSchema'],
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
