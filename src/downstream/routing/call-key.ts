import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../base/json.js';

/** The same for the same tool and arguments in whatever order they are given, and in every process. */
export function callKey(tool: string, args: JsonObject): string {
  return `${tool}\n${canonical(args)}`;
}

/** What stands for a key in the database: arguments can be long, and secret. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`);
  return `{${fields.join(',')}}`;
}
