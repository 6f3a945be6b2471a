import { DeadlinePassed } from '../../base/deadline.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { type Json, type JsonObject, jsonWithin } from '../../base/json.js';
import { checkInTime, deadlineMs } from '../../base/json-schema/check-in-time.js';
import type { Found } from '../../base/json-schema/thread.js';

export type OutputCheck = { output: Json | undefined } | { problem: string };

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
  const inText = typeof output === 'string' ? jsonWithin(output) : undefined;
  const candidates = inText === undefined ? [output] : [output, inText];
  const found = await checkInTime({ schema, candidates }).catch(explainDeadline);
  if ('passed' in found) return { output: candidates[found.passed] };
  const { problem } = found;
  const isProse = typeof output === 'string' && candidates.length === 1;
  return { problem: isProse ? `it is text without JSON, and ${problem}` : problem };
}

function explainDeadline(error: unknown): Found {
  if (!(error instanceof DeadlinePassed)) throw error;
  const reason =
    'a pattern with nested repetition, or a schema that refers to itself in several places, can take for ever';
  return { problem: `checking it took longer than ${deadlineMs} ms: ${reason}` };
}

/** Throws `invalid`, naming the keyword or format that cannot be checked; `name` is what the caller calls the schema. */
export async function requireUsableSchema(schema: JsonObject, name: string): Promise<void> {
  try {
    await checkInTime({ schema, candidates: [] });
  } catch (error) {
    throw new RuntimeError(
      'invalid',
      `${name} is not a JSON schema that can be checked: ${messageOf(error)}`,
      'Nothing was created. JSON schema draft 2020-12 and draft 7 are understood, without $async and remote $ref.',
      { cause: error },
    );
  }
}
