import { z } from 'zod';
import type { AnyTool } from './define-tool.js';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * A tool's input as JSON schema, without the dialect, and without the pattern that repeats a format. Clients list it,
 * the command line converts texts by it and makes its help from it.
 */
export const inputSchema = (tool: AnyTool): JsonSchema => toJsonSchema(tool.input);

/** What a schema takes as JSON schema. */
export function toJsonSchema(input: z.core.$ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
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

/** In place of a schema, JSON schema also allows true and false, which name no type. */
export function asSchema(schema: JsonSchema | boolean | undefined): JsonSchema | undefined {
  return typeof schema === 'object' ? schema : undefined;
}

/** What a value may be, for people: `whole number, 1 to 10`, `list of text`, `pending|in_progress`. */
export function typeWords(schema: JsonSchema | undefined): string {
  const words = alternatives(schema).map(wordsOf);
  return [...new Set(words)].join(' or ');
}

function wordsOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map(String).join('|');
  if (schema.const !== undefined) return String(schema.const);
  switch (schema.type) {
    case 'integer':
      return `whole number${bounds(schema)}`;
    case 'number':
      return `number${bounds(schema)}`;
    case 'string':
      return schema.format === 'date-time' ? 'time' : 'text';
    case 'boolean':
      return 'true|false';
    case 'null':
      return 'null';
    case 'array':
      return `list of ${typeWords(itemSchema(schema))}`;
    case 'object':
      return 'JSON object';
    default:
      return 'any JSON';
  }
}

/** Bounds beyond this are not shown: no value reaches them. */
const farBound = 1_000_000;

function bounds({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined && maximum <= farBound) return `, ${minimum} to ${maximum}`;
  return '';
}
