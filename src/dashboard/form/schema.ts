import type { Json } from '../../http/page/values.js';

/** What forms know of a JSON schema (draft 2020-12, and what draft 7 has in common with it). */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  examples?: readonly Json[];
  enum?: Json[];
  const?: Json;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number | boolean;
  minItems?: number;
  maxItems?: number;
  items?: Schema | boolean;
  prefixItems?: Schema[];
  properties?: Record<string, Schema | boolean>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

/** How a value is asked for; `json` is what no form shows otherwise. */
export type Kind = 'choice' | 'flag' | 'number' | 'line' | 'text' | 'time' | 'date' | 'list' | 'group' | 'json';

export interface Shape extends Schema {
  kind: Kind;
  /** Of a choice. */
  choices: readonly Json[];
}

const mostHops = 20;
/** A text that may be longer gets several lines. */
const longestLine = 500;

/** How to ask for a value of a schema; `root` has its definitions. */
export function shapeOf(given: Schema, root: Schema): Shape {
  const schema = joined(given, root, mostHops);
  const choices = schema?.enum ?? (schema?.const === undefined ? [] : [schema.const]);
  if (!schema) return { ...given, kind: 'json', choices };
  return { ...schema, choices, kind: choices.length > 0 ? 'choice' : kindOf(schema) };
}

/** The schema with what it refers to, and of a union the one branch that is no null; undefined where a form cannot say it. */
function joined(schema: Schema, root: Schema, hops: number): Schema | undefined {
  if (hops === 0) return undefined;
  if (schema.$ref !== undefined) {
    const [, place, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(schema.$ref) ?? [];
    const { $ref: _, ...rest } = schema;
    const found = root[place as '$defs' | 'definitions']?.[name ?? ''];
    return found && joined({ ...found, ...rest }, root, hops - 1);
  }
  const { anyOf, oneOf, allOf, ...rest } = schema;
  if (allOf) return allOf.length === 1 && allOf[0] ? joined({ ...allOf[0], ...rest }, root, hops - 1) : undefined;
  const branches = (anyOf ?? oneOf)?.filter(({ type }) => type !== 'null');
  if (!branches) return schema;
  const [only, other] = branches.map((branch) => joined(branch, root, hops - 1));
  if (only && branches.length === 1) return { ...only, ...rest };
  const words = branches.flatMap(({ enum: values, const: value }) => values ?? (value === undefined ? [] : [value]));
  if (words.length > 0 && branches.every((branch) => branch.enum || branch.const !== undefined)) {
    return { ...rest, enum: words };
  }
  // An id that may be a number or a name is typed as one text: the server reads it as it is meant.
  const isId = branches.length === 2 && [only?.type, other?.type].sort().join() === 'integer,string';
  return isId ? { ...rest, type: 'string', maxLength: longestLine } : undefined;
}

function kindOf({ type, format, pattern, maxLength = Infinity, items, prefixItems, properties }: Schema): Kind {
  const [first, ...others] = [type].flat().filter((one) => one !== 'null');
  if (others.length > 0) return 'json';
  switch (first) {
    case 'boolean':
      return 'flag';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      if (format === 'date-time') return 'time';
      if (format === 'date') return 'date';
      return pattern !== undefined || format !== undefined || maxLength <= longestLine ? 'line' : 'text';
    case 'array':
      return typeof items === 'object' && !prefixItems ? 'list' : 'json';
    case 'object':
      return properties && Object.keys(properties).length > 0 ? 'group' : 'json';
    default:
      return 'json';
  }
}

/** `learning_rate` as people read it: `Learning rate`. */
export function titleOf(name: string, { title }: Schema = {}): string {
  const words = title ?? name.replaceAll('_', ' ').replace(/\bl score\b/, 'l-score');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What is wrong with a text as JSON of a schema's type; empty when nothing is. */
export function jsonProblem(text: string, { type }: Schema): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : error}`;
  }
  const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const wanted = [type].flat();
  const isOfType = wanted.includes(found) || (found === 'number' && wanted.includes('integer'));
  return type === undefined || isOfType ? '' : `This is ${found}, but ${wanted.join(' or ')} is expected.`;
}
