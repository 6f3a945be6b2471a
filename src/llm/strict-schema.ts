import { isObject } from '../base/json.js';

/**
 * Whether a JSON schema is in the subset that `strict` takes: every object closed, each of its properties required
 * (platform.openai.com, structured outputs). Any other is sent without `strict`, and its answer is checked here.
 */
export function isStrictSchema(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrictSchema);
  if (!isObject(schema)) return true;
  if (schema.type === 'object' || isObject(schema.properties)) {
    const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
    const required: unknown = schema.required;
    const isClosed = schema.additionalProperties === false;
    if (!isClosed || !Array.isArray(required) || !names.every((name) => required.includes(name))) return false;
  }
  const { enum: _, const: __, default: ___, ...inner } = schema;
  return Object.values(inner).every(isStrictSchema);
}
