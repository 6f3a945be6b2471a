import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { configFileOf, type FileScope, type Place } from '../install/client-app.js';
import { clientOf } from '../install/clients.js';
import { loadFormat } from '../install/formats/load-format.js';
import type { JsonObject } from './foreign-entry.js';
import type { ImportedClient } from './imported-clients.js';

export interface ForeignServers {
  file: string;
  /** The project that the file belongs to. */
  project: string;
  /** By name, in the client's terms. */
  servers: JsonObject;
}

/** The files in which a client keeps servers, for the user and for the project; those of the project count more. */
export function filesOf(client: ImportedClient, place: Place): string[] {
  const scopes: FileScope[] = ['user', 'project'];
  const files = scopes.map((scope) => configFileOf(clientOf(client), scope, place));
  if (client === 'claude-code') files.unshift(join(place.env.CLAUDE_CONFIG_DIR || place.home, '.claude.json'));
  return files.filter((file) => file !== undefined);
}

/** The servers of one file. Throws `not_found` if it cannot be read, and `invalid` if it is no such file. */
export async function readForeignFile(
  file: string,
  place: Place,
  { mayBeEmpty = false }: { mayBeEmpty?: boolean } = {},
): Promise<ForeignServers> {
  const root = await parse(file);
  const project = projectOf(resolve(file), place);
  const found = [root.mcpServers, root.servers, root.mcp_servers].find(isObject);
  const ofProject = isObject(root.projects) ? root.projects[place.project] : undefined;
  // Claude Code's own state: the user's servers, and those of each project.
  if (isObject(root.projects)) {
    const { mcpServers, disabledMcpServers } = isObject(ofProject) ? ofProject : ({} as JsonObject);
    const all = { ...(found ?? {}), ...(isObject(mcpServers) ? mcpServers : {}) };
    return { file, project: place.project, servers: switchedOff(all, disabledMcpServers) };
  }
  if (!found && mayBeEmpty) return { file, project, servers: {} };
  if (!found) throw wrong(file, 'has neither "mcpServers" nor "servers" nor "mcp_servers"');
  const servers = basename(file) === '.mcp.json' ? await withoutRejected(found, project, place) : found;
  return { file, project, servers };
}

/** A file in `.cursor` or `.vscode` belongs to the directory above. */
function projectOf(file: string, { home, project }: Place): string {
  const directory = dirname(file);
  const above = basename(directory).startsWith('.') ? dirname(directory) : directory;
  return above === home ? project : above;
}

/** Those of a project's `.mcp.json` that its user has rejected, in whichever of the places Claude Code keeps that. */
async function withoutRejected(servers: JsonObject, project: string, { home, env }: Place): Promise<JsonObject> {
  const settings = [
    join(project, '.claude', 'settings.json'),
    join(project, '.claude', 'settings.local.json'),
    join(env.CLAUDE_CONFIG_DIR || join(home, '.claude'), 'settings.json'),
  ];
  const state = join(env.CLAUDE_CONFIG_DIR || home, '.claude.json');
  let left = servers;
  for (const file of [...settings, state].filter((path) => existsSync(path))) {
    const root = await parse(file);
    const own = file === state && isObject(root.projects) ? root.projects[project] : root;
    if (isObject(own)) left = switchedOff(left, own.disabledMcpjsonServers);
  }
  return left;
}

function switchedOff(servers: JsonObject, names: unknown): JsonObject {
  if (!Array.isArray(names)) return servers;
  const isOff = (name: string) => names.includes(name);
  return Object.fromEntries(
    Object.entries(servers).map(([name, entry]) => [
      name,
      isOff(name) && isObject(entry) ? { ...entry, disabled: true } : entry,
    ]),
  );
}

async function parse(file: string): Promise<JsonObject> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new RuntimeError(
      'not_found',
      `${file} cannot be read: ${messageOf(error)}`,
      'Name a file such as .mcp.json or claude_desktop_config.json.',
    );
  }
  const name = file.endsWith('.toml') ? 'toml' : 'json';
  const format = await loadFormat(name);
  let value: unknown;
  try {
    value = format.parse(text);
  } catch (error) {
    throw wrong(file, `is not ${name.toUpperCase()}: ${messageOf(error)}`);
  }
  if (!isObject(value)) throw wrong(file, 'has no names and values');
  return value;
}

function wrong(file: string, what: string): RuntimeError {
  return new RuntimeError('invalid', `${file} ${what}. Nothing was changed.`, 'Correct the file and try again.');
}
