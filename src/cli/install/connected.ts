import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isObject } from '../../base/json.js';
import { type ClaudeScope, serverName } from '../launch.js';
import { readClaudeState } from './claude-state.js';
import { configFileOf, type FileScope, type Place } from './client-app.js';
import { type ClientId, clientOf } from './clients.js';
import { loadFormat } from './formats/load-format.js';
import { readServers } from './merge-server.js';

/** This server in a client's config. */
export interface ConnectedServer extends FoundServer {
  file: string;
  scope: ClaudeScope;
}

export interface FoundServer {
  name: string;
  /** The file that the client would start, if it no longer exists. */
  missing?: string;
}

/**
 * Every place in a client's files that starts this program. Throws an error that names the file for one that cannot be
 * read.
 */
export async function findConnected(id: ClientId, place: Place): Promise<ConnectedServer[]> {
  const found: ConnectedServer[] = [];
  if (id === 'claude-code') {
    const { file, servers } = readClaudeState(place);
    for (const scope of ['user', 'local'] as const) {
      found.push(...findOurs(servers[scope]).map((server) => ({ ...server, file, scope })));
    }
  }
  const app = clientOf(id);
  const scopes = Object.keys(app.files) as FileScope[];
  // In the home, the file of the user and that of the project may be the same.
  const files = new Map(scopes.toReversed().map((scope) => [configFileOf(app, scope, place), scope]));
  for (const [file, scope] of [...files].reverse()) {
    if (file === undefined || !existsSync(file)) continue;
    const format = await loadFormat(app.format);
    const servers = readServers(readFileSync(file, 'utf8'), { file, format, serversPath: app.serversPath });
    found.push(...findOurs(servers).map((server) => ({ ...server, file, scope })));
  }
  return found;
}

/** The servers that are this program: by their name, or by what they start. */
export function findOurs(servers: unknown): FoundServer[] {
  if (!isObject(servers)) return [];
  return Object.entries(servers).flatMap(([name, entry]) => {
    const words = isObject(entry) ? wordsOf(entry) : [];
    if (name !== serverName && !words.some((word) => ourPath.test(word))) return [];
    const missing = words.slice(0, 2).find((word) => isAbsolute(word) && !existsSync(word));
    return [{ name, ...(missing === undefined ? {} : { missing }) }];
  });
}

/** One of our names as a part of a path, or as a package with or without its version. */
const ourPath = /(^|[/\\])agent-runtime(-mcp)?(@[^/\\]*|\.\w+)?([/\\]|$)/;

/** The command line of an entry; clients write it as one list, as two fields, or under other names. */
function wordsOf({ command, cmd, args }: Record<string, unknown>): string[] {
  return [command, cmd, args].flat().filter((word) => typeof word === 'string');
}
