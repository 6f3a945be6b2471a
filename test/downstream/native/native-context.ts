import type { JsonObject } from '../../../src/base/json.js';
import type { NativeContext, NativeTool } from '../../../src/downstream/native/index.js';
import type { Runtime } from '../../../src/runtime.js';

export function contextOf(runtime: Runtime, signal: AbortSignal = new AbortController().signal): NativeContext {
  return { signal, db: runtime.db, clock: runtime.clock, log: runtime.log, settings: runtime.config.native };
}

/** Calls a native tool as a model does: its schema has to accept the arguments. */
export function call(
  tool: NativeTool,
  given: Record<string, unknown>,
  runtime: Runtime,
  signal?: AbortSignal,
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of an answer by asserting it.
): Promise<JsonObject & any> {
  return tool.execute(tool.input.parse(given), contextOf(runtime, signal));
}
