import type { z } from 'zod';
import type { Config } from '../../base/config.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { findTool } from '../tool/find-tool.js';
import type { Caller } from '../tool/with-caller.js';

/**
 * The tool that a command calls. The toolsets that clients are offered do not limit it, but read-only mode does. Throws
 * `invalid`.
 */
export function jobTool(name: string, { isReadOnly }: Config): AnyTool {
  return findTool(name, { toolsets: 'all', isReadOnly });
}

/** Calls a tool and parses its result. */
export async function callFor<Schema extends z.ZodType>(
  { runtime, call }: Caller,
  name: string,
  input: Record<string, unknown>,
  output: Schema,
): Promise<z.output<Schema>> {
  const tool = jobTool(name, runtime.config);
  return output.parse(await call(tool, input));
}
