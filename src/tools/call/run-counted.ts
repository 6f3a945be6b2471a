import { reportError } from '../../base/errors.js';
import type { AnyTool, ToolContext } from './define-tool.js';

/** Runs a tool with arguments that it has checked, and counts the call by how it ended. */
export async function runCounted(
  tool: AnyTool,
  input: Record<string, unknown>,
  context: ToolContext,
): Promise<unknown> {
  const { metrics } = context.runtime;
  try {
    const result = await tool.handler(input, context);
    metrics.countToolCall(tool.name, 'ok');
    return result;
  } catch (error) {
    metrics.countToolCall(tool.name, reportError(error).code);
    throw error;
  }
}
