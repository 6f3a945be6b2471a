import type { CallToolResult, Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import { type ErrorReport, reportError } from '../base/errors.js';
import type { AnyTool, ToolContext } from '../tools/call/define-tool.js';
import { toJsonSchema } from '../tools/call/input-schema.js';
import { listedSchema } from '../tools/call/listed-schema.js';
import type { Page } from '../tools/call/page.js';
import { runTool } from '../tools/call/run-tool.js';

/** A tool as MCP lists it (MCP spec 2025-11-25, tools). */
export function describeTool(tool: AnyTool): ToolDescription {
  return {
    name: tool.name,
    description: tool.description,
    inputSchema: listedSchema(tool) as ToolDescription['inputSchema'],
    annotations: annotationsOf(tool),
    ...(tool.isEntry ? { _meta: { 'anthropic/alwaysLoad': true } } : {}),
  };
}

/** What `tools/list` may have, in bytes of JSON: every session reads it at its start. */
export const largestList = 45_000;

/**
 * The tools as MCP lists them; with the schemas of their results where the list stays small all the same, as for a
 * toolset or two. Of all tools they would treble it, and results carry their structure with or without them.
 */
export function describeTools(tools: readonly AnyTool[]): ToolDescription[] {
  const described = tools.map(describeTool);
  const whole: ToolDescription[] = [];
  let bytes = Buffer.byteLength(JSON.stringify(described));
  for (const [index, description] of described.entries()) {
    const result = resultOf(tools[index]);
    // Without its braces, and with a comma; to make them all only to leave them out would double what a list takes.
    bytes += result.outputSchema ? Buffer.byteLength(JSON.stringify(result)) - 1 : 0;
    if (bytes > largestList) return described;
    whole.push({ ...description, ...result });
  }
  return whole;
}

/** None for a tool whose result may be blocks without a structure. */
function resultOf(tool: AnyTool | undefined): Pick<ToolDescription, 'outputSchema'> {
  if (!tool || tool.content) return {};
  // One of several forms is an object too, and the protocol wants to hear it.
  const outputSchema = { ...toJsonSchema(tool.output), type: 'object' };
  return { outputSchema: outputSchema as NonNullable<ToolDescription['outputSchema']> };
}

/**
 * The title, in the older of its two places, where clients of every age look for it (the SDK's `getDisplayName` takes
 * `title`, then `annotations.title`, then the name), and those hints that differ from what the protocol assumes without them.
 */
function annotationsOf({
  title,
  effect,
  isIdempotent,
  isExternal,
}: AnyTool): NonNullable<ToolDescription['annotations']> {
  return {
    title,
    // Of a tool that only reads, the protocol asks neither of the next two.
    ...(effect === 'read' ? { readOnlyHint: true } : {}),
    ...(effect === 'write' ? { destructiveHint: false } : {}),
    ...(effect !== 'read' && isIdempotent ? { idempotentHint: true } : {}),
    ...(isExternal ? {} : { openWorldHint: false }),
  };
}

export interface CallNeeds {
  /** Opens the runtime on first use; `note` is for what the caller should know of how its arguments were read. */
  openContext(note: (text: string) => void): Promise<ToolContext>;
  /** Called with a failure that no caller can fix. */
  onDefect(): void;
  /** Makes the result of what the tool returns; the tool's own declaration does unless given. */
  show?(output: unknown): CallToolResult;
}

/** Runs one call and maps its outcome, whatever it is, to a result. */
export async function callTool(
  tool: AnyTool,
  given: unknown,
  { openContext, onDefect, show = (output) => toResult(tool, output) }: CallNeeds,
): Promise<CallToolResult> {
  const notes: string[] = [];
  try {
    const context = await openContext((text) => void notes.push(text));
    const output = await runTool(tool, given, context);
    const result = show(output);
    for (const text of notes) result.content.push({ type: 'text', text: `Note: ${text}` });
    return result;
  } catch (error) {
    const report = reportError(error);
    if (report.code === 'internal') onDefect();
    return toErrorResult(report);
  }
}

function toResult(tool: AnyTool, output: unknown): CallToolResult {
  const content = tool.content?.(output);
  const failure = tool.isFailure?.(output) ? { isError: true } : {};
  if (content) return { content, ...failure } as unknown as CallToolResult;
  const rest = { structuredContent: output as Record<string, unknown>, ...failure };
  if (!tool.text) return { content: [{ type: 'text', text: JSON.stringify(output) }], ...rest };
  const facts = tool.facts ? [tool.facts(output)] : [];
  const texts = [tool.text(output), ...facts, ...nextPage(output as Partial<Page<never, never>>)];
  return { content: texts.map((text) => ({ type: 'text', text })), ...rest };
}

/** How to go on with a list whose text does not say it, since its form is that of the earlier server. */
function nextPage({ count, total, next_cursor: cursor }: Partial<Page<never, never>>): string[] {
  return cursor === undefined
    ? []
    : [`${count} of ${total} are shown. The next page: cursor ${JSON.stringify(cursor)}.`];
}

/** A failure as a text result: every client shows it to its model. */
export function toErrorResult(report: ErrorReport): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: JSON.stringify({ error: report }) }] };
}
