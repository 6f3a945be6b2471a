import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type ErrorCode, type ErrorReport, reportError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { AnyTool, ToolContext } from '../tools/call/define-tool.js';
import { parseInput } from '../tools/call/parse-input.js';

export interface CallNeeds {
  openContext(): Promise<ToolContext>;
  /** Told of each call when it is answered, with `ok` or the error's code. */
  count(tool: string, status: string): void;
  log: Log;
}

/** Runs one call: checks its arguments, opens what it needs, and maps the outcome, whatever it is, to a result. */
export async function callTool(
  tool: AnyTool,
  given: unknown,
  { openContext, count, log }: CallNeeds,
): Promise<CallToolResult> {
  const startedAt = performance.now();
  function tell(code?: ErrorCode): void {
    const durationMs = Math.round(performance.now() - startedAt);
    // Not at info: a line costs some 5 us, which is a twentieth of a short call.
    log.debug('tool_call', { tool: tool.name, status: code ? 'error' : 'ok', code, duration_ms: durationMs });
    count(tool.name, code ?? 'ok');
  }
  try {
    const input = parseInput(tool, given);
    const output = await tool.handler(input, await openContext());
    tell();
    return toResult(tool, output);
  } catch (error) {
    const report = reportError(error);
    if (report.code === 'internal') log.error('tool failed', { tool: tool.name, error });
    tell(report.code);
    return toErrorResult(report);
  }
}

function toResult(tool: AnyTool, output: unknown): CallToolResult {
  const content = tool.content?.(output);
  if (content) return { content } as unknown as CallToolResult;
  const text = tool.text ? tool.text(output) : JSON.stringify(output);
  return { content: [{ type: 'text', text }], structuredContent: output as Record<string, unknown> };
}

/** A failure as clients get it: by its text, which every client shows its model. */
export function toErrorResult(report: ErrorReport): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: JSON.stringify({ error: report }) }] };
}
