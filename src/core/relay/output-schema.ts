import { RuntimeError } from '../../base/errors.js';
import { type Json, type JsonObject, jsonWithin } from '../../base/json.js';

export type OutputCheck = { output: Json | undefined } | { problem: string };

/**
 * Whether a step's output follows its JSON schema. Text that holds
 * such JSON is as good as the JSON itself, and stored as that.
 */
export async function checkOutput(schemaText: string | null, output: Json | undefined): Promise<OutputCheck> {
  if (schemaText === null || output === undefined) return { output };
  const validate = await compileSchema(JSON.parse(schemaText) as JsonObject);
  const held = typeof output === 'string' ? jsonWithin(output) : undefined;
  const candidates = held === undefined ? [output] : [output, held];
  let problem = '';
  for (const candidate of candidates) {
    const found = validate(candidate);
    if (found === undefined) return { output: candidate };
    problem = found;
  }
  const isProse = typeof output === 'string' && candidates.length === 1;
  return { problem: isProse ? `it is text that holds no JSON, and ${problem}` : problem };
}

/** Throws `invalid`, naming what the schema has that cannot be checked. */
export async function requireUsableSchema(schema: JsonObject, where: string): Promise<void> {
  try {
    await compileSchema(schema);
  } catch (error) {
    throw new RuntimeError(
      'invalid',
      `${where}.output_schema is not a JSON schema that can be checked: ${(error as Error).message}`,
      'Nothing was created. JSON schema draft 2020-12 and draft 7 are understood, without $async and remote $ref.',
      { cause: error },
    );
  }
}

/** Loaded when first needed: few steps have a schema. */
async function compileSchema(schema: JsonObject): Promise<(value: Json) => string | undefined> {
  const compiler = await import('./compile-schema.js');
  return compiler.compileSchema(schema);
}
