import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../base/json.js';

/** The same for the same tool and arguments in whatever order they are given, and in every process. */
export function callKey(tool: string, args: JsonObject): string {
  return createHash('sha256')
    .update(`${tool}\n${canonical(args)}`)
    .digest('hex');
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`);
  return `{${fields.join(',')}}`;
}
