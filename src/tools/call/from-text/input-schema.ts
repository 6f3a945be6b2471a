import { z } from 'zod';
import type { AnyTool } from '../define-tool.js';

/** A JSON schema, as far as texts are converted by one. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * A tool's input as JSON schema, without what only repeats: the dialect, and a pattern beside the format it spells out.
 * Clients list it, texts are converted by it, and the command line's help is made from it.
 */
export function inputSchema(tool: AnyTool): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, {
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.propertyNames;
    },
  });
  return schema as JsonSchema;
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
