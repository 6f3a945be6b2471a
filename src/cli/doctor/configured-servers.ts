import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { messageOf } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { serverName } from '../install/launch.js';

/** Our server in a client's config. */
export interface ConfiguredServer {
  name: string;
  /** A file that it is started from and that is not there any more. */
  missing?: string;
}

/** Reads a client's JSON file; nothing if there is none. Throws, naming the file, on one that cannot be read. */
export function readClientFile(file: string): JsonObject | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    return isObject(value) ? value : undefined;
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Which of these servers are ours: by their name, or by what they start. */
export function findOurs(servers: unknown): ConfiguredServer[] {
  if (!isObject(servers)) return [];
  return Object.entries(servers).flatMap(([name, entry]) => {
    const words = isObject(entry) ? wordsOf(entry) : [];
    if (name !== serverName && !words.some((word) => ourPath.test(word))) return [];
    const missing = words.slice(0, 2).find((word) => isAbsolute(word) && !existsSync(word));
    return [{ name, ...(missing === undefined ? {} : { missing }) }];
  });
}

/** A part of a path, or a package with its version, of one of our names. */
const ourPath = /(^|[/\\])agent-runtime(-mcp)?(@[^/\\]*|\.\w+)?([/\\]|$)/;

export type JsonObject = Record<string, unknown>;

function wordsOf({ command, args }: JsonObject): string[] {
  return [command, ...(Array.isArray(args) ? args : [])].filter((word) => typeof word === 'string');
}
