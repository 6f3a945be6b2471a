import { DeadlinePassed, withDeadline } from '../../base/deadline.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { type Json, type JsonObject, jsonWithin } from '../../base/json.js';

export type OutputCheck = { output: Json | undefined } | { problem: string };

/** Reading a schema and checking an output of the greatest length take some 50 ms. */
const deadlineMs = 1_000;

/** Of an output that a schema is to check, as JSON. */
const mostCharacters = 1_000_000;

/**
 * Checks a step's output by its JSON schema. Text that contains JSON which follows the schema passes too, and becomes
 * that JSON. Schema and output come from others, so a check that takes longer than a second is ended and not passed.
 */
export async function checkOutput(schema: JsonObject | null, output: Json | undefined): Promise<OutputCheck> {
  if (schema === null || output === undefined) return { output };
  const length = JSON.stringify(output).length;
  if (length > mostCharacters) {
    return { problem: `it has ${length} characters, and at most ${mostCharacters} are checked by a schema` };
  }
  const { compileSchema } = await loadCompiler();
  const inText = typeof output === 'string' ? jsonWithin(output) : undefined;
  const candidates = inText === undefined ? [output] : [output, inText];
  const passed = bounded(() => {
    const validate = compileSchema(schema);
    let problem = '';
    for (const candidate of candidates) {
      const found = validate(candidate);
      if (found === undefined) return { output: candidate };
      problem = found;
    }
    return { problem };
  });
  if ('output' in passed) return passed;
  const { problem } = passed;
  const isProse = typeof output === 'string' && candidates.length === 1;
  return { problem: isProse ? `it is text without JSON, and ${problem}` : problem };
}

function bounded(check: () => OutputCheck): OutputCheck {
  try {
    return withDeadline(deadlineMs, check);
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error;
    const reason =
      'a pattern with nested repetition, or a schema that refers to itself in several places, can take for ever';
    return { problem: `checking it took longer than ${deadlineMs} ms: ${reason}` };
  }
}

/** Throws `invalid`, naming the keyword or format that cannot be checked; `name` is what the caller calls the schema. */
export async function requireUsableSchema(schema: JsonObject, name: string): Promise<void> {
  try {
    const { compileSchema } = await loadCompiler();
    withDeadline(deadlineMs, () => compileSchema(schema));
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
const loadCompiler = () => import('./compile-schema.js');
