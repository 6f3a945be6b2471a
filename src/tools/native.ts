import { z } from 'zod';
import type { NativeTool } from '../downstream/native/index.js';
import { type AnyTool, defineTool } from './call/define-tool.js';

/** A native tool as a tool of this server. */
export function nativeTool({ name, title, description, input, output, execute }: NativeTool): AnyTool {
  return defineTool({
    name,
    title,
    effect: 'read',
    isExternal: true,
    description,
    input,
    output: output ?? z.looseObject({}),
    handler: (given, { runtime, signal }) => {
      const { db, clock, log, config } = runtime;
      return execute(given, { signal, db, clock, log, settings: config.native });
    },
  });
}
