import { messageOf, RuntimeError } from '../../base/errors.js';
import { type Json, type JsonObject, jsonWithin } from '../../base/json.js';

export type OutputCheck = { output: Json | undefined } | { problem: string };

/**
 * Checks a step's output by its JSON schema. Text that contains JSON which follows the schema passes too, and becomes
 * that JSON.
 */
export async function checkOutput(schema: JsonObject | null, output: Json | undefined): Promise<OutputCheck> {
  if (schema === null || output === undefined) return { output };
  const validate = await compileSchema(schema);
  const inText = typeof output === 'string' ? jsonWithin(output) : undefined;
  const candidates = inText === undefined ? [output] : [output, inText];
  let problem = '';
  for (const candidate of candidates) {
    const found = validate(candidate);
    if (found === undefined) return { output: candidate };
    problem = found;
  }
  const isProse = typeof output === 'string' && candidates.length === 1;
  return { problem: isProse ? `it is text without JSON, and ${problem}` : problem };
}

/** Throws `invalid`, naming the keyword or format that cannot be checked; `name` is what the caller calls the schema. */
export async function requireUsableSchema(schema: JsonObject, name: string): Promise<void> {
  try {
    await compileSchema(schema);
  } catch (error) {
    throw new RuntimeError(
      'invalid',
      `${name} is not a JSON schema that can be checked: ${messageOf(error)}`,
      'Nothing was created. JSON schema draft 2020-12 and draft 7 are understood, without $async and remote $ref.',
      { cause: error },
    );
  }
}

/** Ajv is loaded when first needed: few steps have a schema. */
async function compileSchema(schema: JsonObject): Promise<(value: Json) => string | undefined> {
  const compiler = await import('./compile-schema.js');
  return compiler.compileSchema(schema);
}
