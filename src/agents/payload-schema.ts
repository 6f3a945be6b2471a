import { z } from 'zod';
import type { FieldProblem } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import { cut } from '../base/text.js';

/**
 * The interface that schemas of many libraries implement, so that a module may use its own: zod (3.24 and newer),
 * Valibot, ArkType and others. Source: https://standardschema.dev.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of the values that a schema returns. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

/** Whether a value implements the Standard Schema interface. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  // A schema may be a function, as ArkType's are.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Record<string, unknown>)['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  );
}

/** The value as the schema returns it, or the schema's own messages on what is wrong with it, with places and values. */
export async function checkPayload<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): Promise<{ value: Output } | { problem: string; fields: FieldProblem[] }> {
  const result = await schema['~standard'].validate(value);
  return result.issues
    ? {
        problem: result.issues.map((issue) => explain(issue, value)).join(' '),
        fields: result.issues.map((issue) => ({ place: placeOf(issue), message: sentenceOf(issue) })),
      }
    : { value: result.value };
}

/** `epochs is 0: expected number to be >=1.` */
function explain(issue: SchemaIssue, payload: unknown): string {
  const place = placeOf(issue);
  const sentence = sentenceOf(issue);
  if (place === '') return sentence;
  const given = keysOf(issue).reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    payload,
  );
  return given === undefined
    ? `${place} is missing: ${sentence}`
    : `${place} is ${cut(JSON.stringify(given) ?? typeof given, 100)}: ${sentence}`;
}

const keysOf = ({ path = [] }: SchemaIssue): PropertyKey[] =>
  path.map((part) => (typeof part === 'object' ? part.key : part));

function sentenceOf({ message }: SchemaIssue): string {
  // zod begins with the kind of the mistake, and ends with the type that it was given.
  const text = message
    .replace(/^(Invalid input|Too small|Too big|Invalid \w+): /, '')
    .replace(/, received [\w ]+$/, '');
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function placeOf(issue: SchemaIssue): string {
  return keysOf(issue).reduce<string>((above, key) => {
    if (typeof key === 'number') return `${above}[${key}]`;
    return above === '' ? String(key) : `${above}.${String(key)}`;
  }, '');
}

/** The input of a schema as JSON schema; undefined for a library that cannot produce one. */
export function describePayload(schema: StandardSchema): JsonObject | undefined {
  try {
    if ('_zod' in schema) {
      return z.toJSONSchema(schema as unknown as z.ZodType, { io: 'input', unrepresentable: 'any' }) as JsonObject;
    }
    const { jsonSchema } = schema['~standard'] as { jsonSchema?: { input(options: { target: string }): JsonObject } };
    return jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    return undefined;
  }
}
