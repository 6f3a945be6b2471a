import { z } from 'zod';
import type { JsonObject } from '../../base/json.js';

/** A tool as its server describes it. Unknown fields are kept. */
const toolDescription = z.looseObject({
  name: z.string().min(1).max(500),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.looseObject({}).optional(),
  annotations: z
    .looseObject({
      title: z.string().optional(),
      readOnlyHint: z.boolean().optional(),
      destructiveHint: z.boolean().optional(),
      idempotentHint: z.boolean().optional(),
    })
    .optional(),
});

export type ToolDescription = z.output<typeof toolDescription>;

/** The tools of a list that can be called. An invalid one is left out, and the others are kept. */
export function parseTools(listed: readonly unknown[]): ToolDescription[] {
  return listed.flatMap((tool) => {
    const parsed = toolDescription.safeParse(tool);
    return parsed.success ? [parsed.data] : [];
  });
}

/** Whether the server declares that calling it twice does no harm. */
export function isAnnotatedSafe({ annotations }: ToolDescription): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

export function isReadOnly({ annotations }: ToolDescription): boolean {
  return annotations?.readOnlyHint === true;
}

/** A server's answer to a call (MCP spec 2025-11-25, tools). It is passed on unchanged, blocks of unknown kinds included. */
export const toolAnswer = z
  .looseObject({
    content: z.array(z.looseObject({ type: z.string() })).optional(),
    structuredContent: z.record(z.string(), z.unknown()).optional(),
    isError: z.boolean().optional(),
  })
  .refine((answer) => answer.content !== undefined || answer.structuredContent !== undefined);

export type ToolAnswer = JsonObject & {
  content?: JsonObject[];
  structuredContent?: JsonObject;
  isError?: boolean;
};
