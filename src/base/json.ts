/** A value that JSON stores and sends without loss. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

/** Parses text that this program wrote itself (a column, a spool file), so that its shape is known. */
export function readJson<Shape>(text: string): Shape {
  return JSON.parse(text) as Shape;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON of a model's answer, bare or in a code fence; undefined if it is not JSON. */
export function jsonWithin(answer: string): Json | undefined {
  try {
    return JSON.parse((firstFence(answer) ?? answer).trim()) as Json;
  } catch {
    return undefined;
  }
}

/** What stands in the first code fence of JSON or of no language. Without a pattern: one takes the square of the length for an answer of line ends. */
function firstFence(answer: string): string | undefined {
  let close = -3;
  for (;;) {
    const open = answer.indexOf('```', close + 3);
    close = open === -1 ? -1 : answer.indexOf('```', open + 3);
    if (close === -1) return undefined;
    const label = /^(?:json)?[^\S\n]*\n/.exec(answer.slice(open + 3, open + 63));
    if (label) return answer.slice(open + 3 + label[0].length, close);
  }
}

/**
 * A value as JSON text, or the reason why it has none. `JSON.stringify` alone turns NaN into null, drops functions
 * and throws on cycles and bigints; here each of these is named with its path.
 */
export function toJsonText(value: unknown, name = 'result'): { text: string } | { problem: string } {
  const problem = findUnstorable(value, name, new Set());
  return problem ? { problem } : { text: JSON.stringify(value ?? null) };
}

/** Writing and reading JSON goes by recursion, and a stack has an end. */
const mostLevels = 1_000;

function findUnstorable(value: unknown, path: string, above: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${path} is ${value}, which JSON cannot hold`;
    case 'object':
      break;
    default:
      return `${path} is a ${typeof value}, which JSON cannot hold`;
  }
  if (value === null) return undefined;
  if (above.has(value)) return `${path} refers back to an object that contains it`;
  if (above.size >= mostLevels) return `${path.slice(0, 100)}... is nested more than ${mostLevels} levels deep`;
  if ('toJSON' in value) return undefined;
  above.add(value);
  for (const [key, item] of Object.entries(value)) {
    const problem = findUnstorable(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, above);
    if (problem) return problem;
  }
  above.delete(value);
  return undefined;
}
