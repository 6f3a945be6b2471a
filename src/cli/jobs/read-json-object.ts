import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { Json, JsonObject } from '../../base/json.js';

/**
 * The JSON object that an option gives, in itself or in a file. Throws `invalid`, with line and column where it is no
 * JSON, and `not_found` for a file that does not exist.
 */
export async function readJsonObject(option: string, given: string): Promise<JsonObject> {
  const isText = /^\s*[{["]/.test(given);
  const text = isText ? given : readFile(option, given);
  const value = await parse(text, isText ? option : resolve(given));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new RuntimeError(
    'invalid',
    `${option} is JSON, but ${kind} and no object.`,
    `Give it as {"name": value, ...}.`,
  );
}

function readFile(option: string, given: string): string {
  const path = resolve(given);
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
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

async function parse(text: string, source: string): Promise<Json> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RuntimeError(
      'invalid',
      `${source} is not JSON: ${await locate(text, messageOf(cause))}`,
      'Mend it and repeat; nothing was submitted.',
      { cause },
    );
  }
}

/** Node says where a text stops being JSON in some versions only, and of some mistakes only. */
async function locate(text: string, message: string): Promise<string> {
  const momoa = await import('@humanwhocodes/momoa');
  try {
    momoa.parse(text, { mode: 'json' });
    return `${message}.`;
  } catch (error) {
    if (!(error instanceof Error && 'line' in error && 'column' in error)) return `${message}.`;
    return `line ${error.line}, column ${error.column}: ${error.message.replace(/ \(\d+:\d+\)$/, '')}`;
  }
}
