import { resolve } from 'node:path';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Json, JsonObject } from '../base/json.js';
import { JsonSyntaxError, parseJsonc } from '../base/jsonc.js';
import { systemCode } from '../base/network-error.js';
import { readUpTo } from '../base/read-up-to.js';

/**
 * The JSON object in an option, or in the file that the option names. Throws `invalid`, with line and column if it is not
 * JSON, and `not_found` if the file does not exist.
 */
export function readJsonObject(option: string, given: string): JsonObject {
  const isText = /^\s*[{["]/.test(given);
  const text = isText ? given : readFile(option, given);
  const value = parse(text, isText ? option : resolve(given));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new RuntimeError(
    'invalid',
    `${option} is JSON, but ${kind}, not an object.`,
    `Give it as {"name": value, ...}.`,
  );
}

function readFile(option: string, given: string): string {
  const path = resolve(given);
  try {
    return readUpTo(path, `${option} ${path}`).replace(/^\uFEFF/, '');
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    const isMissing = systemCode(cause) === 'ENOENT';
    throw new RuntimeError(
      isMissing ? 'not_found' : 'invalid',
      isMissing
        ? `${option} names no file: ${path} does not exist.`
        : `${option}: ${path} cannot be read: ${messageOf(cause)}.`,
      `Give the path of a JSON file, or the object itself, such as ${option} '{"name": "value"}'.`,
      { cause },
    );
  }
}

function parse(text: string, source: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RuntimeError(
      'invalid',
      `${source} is not JSON: ${locate(text, messageOf(cause))}.`,
      'Nothing was submitted. Correct it and try again.',
      { cause },
    );
  }
}

/** Where the text stops being JSON. Only some versions of Node say so, and only for some mistakes. */
function locate(text: string, message: string): string {
  try {
    parseJsonc(text, { isStrict: true });
    return message;
  } catch (error) {
    return error instanceof JsonSyntaxError ? error.message : message;
  }
}
