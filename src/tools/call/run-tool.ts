import { type ErrorCode, reportError } from '../../base/errors.js';
import type { Actor } from '../../core/actor.js';
import type { Runtime } from '../../runtime.js';
import type { AnyTool, ToolContext } from './define-tool.js';
import { parseInput } from './parse-input.js';

export interface RunOptions {
  /** Whether the metrics count the call by how it ended; what the dashboard reads for its page is left out. */
  isCounted?: boolean;
}

/**
 * Runs one call of a tool, the same way for every face: checks its arguments, refuses to work on a damaged database,
 * then counts and logs how the call ended. Reads are refused too, because several of them write (a result is marked as
 * read, a due task is released). Throws whatever the tool throws; a defect is logged with its stack.
 */
export async function runTool(
  tool: AnyTool,
  given: unknown,
  context: ToolContext,
  { isCounted = true }: RunOptions = {},
): Promise<unknown> {
  const { runtime } = context;
  const startedAt = performance.now();
  function record(code?: ErrorCode): void {
    const durationMs = Math.round(performance.now() - startedAt);
    // Not at info: a log entry costs some 5 us, which is a twentieth of a short call.
    runtime.log.debug('tool_call', { tool: tool.name, status: code ? 'error' : 'ok', code, duration_ms: durationMs });
    if (isCounted) runtime.metrics.countToolCall(tool.name, code ?? 'ok');
  }
  try {
    const input = parseInput(tool, given, (text) => {
      runtime.log.debug('arguments read', { tool: tool.name, note: text });
      context.note?.(text);
    });
    runtime.maintenance.requireSound();
    if (tool.isFinal) await context.confirm?.(tool, input);
    const output = await tool.handler(input, context);
    record();
    return output;
  } catch (error) {
    const { code } = reportError(error);
    if (code === 'internal') runtime.log.error('tool failed', { tool: tool.name, error });
    record(code);
    throw error;
  }
}

const neverAborted = new AbortController().signal;

/**
 * A call's context: who calls, and what the face can do beyond that (progress, sampling, cancelling). A caller that did
 * not come over HTTP has opened the database by itself, and so has the owner's rights.
 */
export function contextOf(runtime: Runtime, actor: Actor, face: Partial<ToolContext> = {}): ToolContext {
  const { rights, sessionId, progress, note, isWatched, sample, confirm } = face;
  return {
    runtime,
    actor,
    rights: rights ?? { tokenId: 'owner', isReadOnly: runtime.config.isReadOnly },
    sessionId,
    // A face may make it when it is asked for: few tools wait for anything.
    get signal() {
      return face.signal ?? neverAborted;
    },
    progress: progress ?? (() => {}),
    ...(note ? { note } : {}),
    ...(isWatched === undefined ? {} : { isWatched }),
    sample,
    ...(confirm ? { confirm } : {}),
  };
}
