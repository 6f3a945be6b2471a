import { Ajv, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Json, JsonObject } from '../json.js';
import type { Found } from './thread.js';

/** Unknown keywords and formats are errors: a schema that is not checked in full must not look as if it were. */
const options: Options = { allErrors: true, logger: false, strictTypes: false };

const mostProblems = 5;

/** Reads the schema and takes the first candidate that follows it. Throws as `compileSchema` does. */
export function checkBySchema(schema: JsonObject, candidates: readonly Json[]): Found {
  const validate = compileSchema(schema);
  let problem = '';
  for (const [place, candidate] of candidates.entries()) {
    const found = validate(candidate);
    if (found === undefined) return { passed: place };
    problem = found;
  }
  return { problem };
}

/**
 * A JSON schema (draft 2020-12, or draft 7 where `$schema` says so) as a function that says what is wrong with a value.
 * Throws an Error for a schema that cannot be checked. A file of its own, so that the bundle loads Ajv only with it.
 */
function compileSchema(schema: JsonObject): (value: Json) => string | undefined {
  if (schema.$async) throw new Error('$async schemas cannot be checked');
  const isDraft7 = typeof schema.$schema === 'string' && schema.$schema.includes('draft-07');
  const ajv = isDraft7 ? new Ajv(options) : new Ajv2020(options);
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  return (value) =>
    validate(value) ? undefined : ajv.errorsText(validate.errors?.slice(0, mostProblems), { dataVar: 'output' });
}
