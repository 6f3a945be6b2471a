import { messageOf, RuntimeError } from '../../base/errors.js';
import { readStreamUpTo, readUpTo } from '../../base/read-up-to.js';
import type { AnyTool } from '../../tools/call/define-tool.js';
import { convertFields, parsePairs } from '../../tools/call/from-text.js';
import { inputSchema } from '../../tools/call/input-schema.js';

/** The arguments of a tool as the command line gives them. */
export interface GivenInput {
  /** `key=value` each. */
  pairs: readonly string[];
  /** A JSON object, `@FILE`, or `-` for stdin. */
  input?: string | undefined;
}

/** The arguments of a call, not yet checked against the tool's schema. A pair overrides the same name in `input`. */
export async function readInput(tool: AnyTool, { pairs, input }: GivenInput): Promise<Record<string, unknown>> {
  const fields = convertFields(inputSchema(tool), parsePairs(pairs));
  return input === undefined ? fields : { ...readObject(await readText(input)), ...fields };
}

async function readText(input: string): Promise<string> {
  if (input === '-') return readStreamUpTo(process.stdin, '--input -');
  if (!input.startsWith('@')) return input;
  try {
    return readUpTo(input.slice(1), `--input ${input}`);
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    throw wrong(`cannot be read: ${messageOf(error)}`, 'Name an existing file, as --input @FILE.', error);
  }
}

function readObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(`is not JSON: ${messageOf(error)}`, 'Give the arguments as {"name": value, ...}.', error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong('is JSON, but not an object.', 'Give the arguments as {"name": value, ...}.');
}

function wrong(what: string, hint: string, cause?: unknown): RuntimeError {
  return new RuntimeError('invalid', `--input ${what}`, hint, { cause });
}
