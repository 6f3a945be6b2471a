import { alternatives, itemSchema, type JsonSchema } from './input-schema.js';

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

/** A bound that nobody reaches only gets in the way. */
const farBound = 1_000_000;

function bounds({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined && maximum <= farBound) return `, ${minimum} to ${maximum}`;
  return '';
}
