import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type ErrorReport, reportError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { AnyTool, ToolContext } from '../tools/define-tool.js';
import { parseInput } from '../tools/parse-input.js';

/** Runs one call: checks its arguments, opens what it needs, and maps the outcome, whatever it is, to a result. */
export async function callTool(
  tool: AnyTool,
  given: unknown,
  openContext: () => Promise<ToolContext>,
  log: Log,
): Promise<CallToolResult> {
  try {
    const input = parseInput(tool, given);
    const output = await tool.handler(input, await openContext());
    return toResult(tool, output);
  } catch (error) {
    const report = reportError(error);
    if (report.code === 'internal') log.error('tool failed', { tool: tool.name, error });
    return toErrorResult(report);
  }
}

function toResult(tool: AnyTool, output: unknown): CallToolResult {
  const content = tool.content?.(output);
  if (content) return { content } as unknown as CallToolResult;
  const text = tool.text ? tool.text(output) : JSON.stringify(output);
  return { content: [{ type: 'text', text }], structuredContent: output as Record<string, unknown> };
}

function toErrorResult(report: ErrorReport): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: JSON.stringify({ error: report }) }] };
}
