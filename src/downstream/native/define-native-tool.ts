import type { z } from 'zod';
import type { Clock } from '../../base/clock.js';
import type { JsonObject } from '../../base/json.js';
import type { Log } from '../../base/log.js';
import type { NativeSettings } from '../../base/native-settings.js';
import type { Database } from '../../store/sql.js';
import { keepAnswer } from './answers.js';

export type { NativeSettings } from '../../base/native-settings.js';

export interface NativeContext {
  /** Ends the call. The tool throws `timeout` or `cancelled`, according to the signal's reason. */
  signal: AbortSignal;
  db: Database;
  clock: Clock;
  log: Log;
  settings: NativeSettings;
}

/** A tool that is built in. It is served as a tool of its own, and `call_tool` tries it first under its name. */
export interface NativeTool<Input extends z.ZodObject = z.ZodObject> {
  /** As MCP clients see it. */
  name: string;
  title: string;
  /** For a model: what it does and when to use it. Under 600 characters. */
  description: string;
  /** A strict object with every field described. */
  input: Input;
  /** The shape of its answer; any object unless given. */
  output?: z.ZodObject;
  isReadOnly: true;
  /** For how long an answer is used again for the same input, by any process; 0 for never. */
  cacheSeconds: number;
  /**
   * Runs the tool. Its answer is text from elsewhere: data, never instructions. Throws RuntimeError: `invalid`,
   * `not_configured`, `rate_limited` (with `retryAfterSeconds`), `timeout`, `cancelled`, `unavailable`, `budget_exhausted`.
   */
  execute(input: z.output<Input>, context: NativeContext): Promise<JsonObject>;
}

/** Declares a native tool. With `cacheSeconds` its answers are cached, and a cached one has `age_seconds`. */
export function defineNativeTool<Input extends z.ZodObject>(tool: NativeTool<Input>): NativeTool {
  const { name, cacheSeconds } = tool;
  const cached: NativeTool<Input> = {
    ...tool,
    execute(input, context) {
      // Parsed input has its keys in the order of the schema, so equal inputs have equal texts.
      const key = `${name} ${JSON.stringify(input)}`;
      return keepAnswer(context, { key, maxAgeMs: cacheSeconds * 1000 }, () => tool.execute(input, context));
    },
  };
  return (cacheSeconds > 0 ? cached : tool) as unknown as NativeTool;
}
