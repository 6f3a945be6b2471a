import type { z } from 'zod';
import { inputSchemaOf } from '../../mcp/describe-tool.js';
import type { AnyTool } from '../../tools/define-tool.js';

/** A JSON schema, as far as the command line reads one. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** A tool's input as JSON schema, the same that clients get: values are converted by it, and its help is made from it. */
export function inputSchema(tool: AnyTool): JsonSchema {
  return inputSchemaOf(tool) as JsonSchema;
}

/** What a value may be: the branches of a union, or the schema itself. */
export function alternatives(schema: JsonSchema | undefined): JsonSchema[] {
  if (schema === undefined) return [{}];
  const branches = schema.anyOf ?? schema.oneOf;
  return branches ? branches.flatMap((branch) => alternatives(asSchema(branch))) : [schema];
}

/** The schema of an object's field; a record has the same for all. */
export function fieldSchema(schema: JsonSchema, name: string): JsonSchema | undefined {
  const own = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  return asSchema(own ?? schema.additionalProperties);
}

export function itemSchema(schema: JsonSchema): JsonSchema | undefined {
  return Array.isArray(schema.items) ? undefined : asSchema(schema.items);
}

/** In a schema's place JSON schema also allows true and false, which say nothing of a form. */
export function asSchema(schema: JsonSchema | boolean | undefined): JsonSchema | undefined {
  return typeof schema === 'object' ? schema : undefined;
}
