import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';

/** The name of the tool that the params of `tools/call` name. Throws invalid params when it is no text. */
export function calledTool(params: Readonly<Record<string, unknown>> | undefined): string {
  const name = params?.name;
  if (typeof name === 'string') return name;
  throw new McpError(ErrorCode.InvalidParams, 'tools/call: params.name: must be text, the name of a tool.');
}
