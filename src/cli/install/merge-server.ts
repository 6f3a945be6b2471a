import { isDeepStrictEqual } from 'node:util';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';

export interface ServerEntry {
  command: string;
  args: string[];
  env?: Record<string, string>;
  type?: string;
}

export interface Merge {
  /** The file's path, for errors. */
  file: string;
  serversKey: 'mcpServers' | 'servers';
  name: string;
  entry: ServerEntry;
}

export interface Merged {
  text: string;
  status: 'added' | 'updated' | 'unchanged';
}

/**
 * Adds the server to a client's config text. Everything else is kept: other keys and servers, fields that the user has
 * added to the entry, the indentation and the line ends. Throws `invalid` for a text that a client could not read.
 */
export function mergeServer(text: string, { file, serversKey, name, entry }: Merge): Merged {
  const root = parseRoot(text, file);
  const servers = root[serversKey] ?? {};
  if (!isObject(servers)) throw wrong(file, `has ${JSON.stringify(serversKey)}, but it is not an object`);
  const before = servers[name];
  if (before !== undefined && (!isObject(before) || 'url' in before)) {
    throw wrong(file, `has another kind of server under the name ${JSON.stringify(name)}`);
  }
  const after = mergeEntry(before ?? {}, entry);
  if (before !== undefined && isDeepStrictEqual(before, after)) return { text, status: 'unchanged' };
  const merged = { ...root, [serversKey]: { ...servers, [name]: after } };
  return { text: toText(merged, text), status: before === undefined ? 'added' : 'updated' };
}

type JsonObject = Record<string, unknown>;

function mergeEntry(before: JsonObject, { env, ...entry }: ServerEntry): JsonObject {
  if (env === undefined) return { ...before, ...entry };
  return { ...before, ...entry, env: { ...(isObject(before.env) ? before.env : {}), ...env } };
}

function parseRoot(text: string, file: string): JsonObject {
  const bare = text.replace(byteOrderMark, '');
  if (bare.trim() === '') return {};
  let root: unknown;
  try {
    root = JSON.parse(bare);
  } catch (error) {
    throw wrong(file, `is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(root)) throw wrong(file, 'is JSON, but not an object');
  return root;
}

const byteOrderMark = /^\uFEFF/;

/** Writes JSON with the indentation, line ends, final newline and byte order mark of the text before. */
function toText(root: JsonObject, before: string): string {
  const isBlank = /^\uFEFF?\s*(\{\s*\})?\s*$/.test(before);
  const indent = isBlank ? '  ' : /\n([ \t]+)\S/.exec(before)?.[1];
  const text = JSON.stringify(root, null, indent) + (isBlank || before.trimEnd() !== before ? '\n' : '');
  const mark = byteOrderMark.exec(before)?.[0] ?? '';
  return mark + (before.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text);
}

function wrong(file: string, what: string): RuntimeError {
  return new RuntimeError(
    'invalid',
    `${file} ${what}. Nothing was changed.`,
    'Correct the file, or add the entry by hand: the same command without --write prints it.',
  );
}
