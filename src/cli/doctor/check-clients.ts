import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Config } from '../../base/config.js';
import { messageOf } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { detectClaudeCode, findClaudeCode } from '../../llm/index.js';
import { type ClientId, clientApps, clientIds, type Place } from '../install/clients.js';
import { commandName, serverName } from '../launch.js';
import { type Check, checksOf } from './check.js';

const { ok, warn } = checksOf('Clients');

/** Which clients are installed, and which of them start this server. */
export async function checkClients(config: Config, platform = process.platform): Promise<Check[]> {
  const place: Place = { platform, home: config.home, env: config.env, project: config.project || process.cwd() };
  const found = await Promise.all(clientIds.map((id) => checkClient(id, place, config)));
  const checks = found.map(({ check }) => check);
  if (found.some(({ isConnected }) => isConnected)) return checks;
  return [
    ...checks,
    warn('connected', 'no client starts this server yet', `Run: ${commandName} install --client claude-code`),
  ];
}

interface Found {
  check: Check;
  isConnected: boolean;
}

async function checkClient(id: ClientId, place: Place, config: Config): Promise<Found> {
  const { title } = clientApps[id];
  const presence = await findClient(id, place, config);
  const fix = `Run: ${commandName} install --client ${id}`;
  let servers: (ConfiguredServer & { file: string })[];
  try {
    servers = configuredServers(id, place);
  } catch (error) {
    const reason = messageOf(error);
    return { check: warn(title, `its config cannot be read; ${reason}`, 'Correct the file.'), isConnected: false };
  }
  const [server] = servers;
  if (!server) {
    const check = presence === undefined ? ok(title, 'not found') : warn(title, `${presence}; not connected`, fix);
    return { check, isConnected: false };
  }
  const broken = servers.find((one) => one.missing !== undefined);
  const check = broken
    ? warn(title, `${broken.name} in ${broken.file} starts ${broken.missing}, which does not exist`, `${fix} --write`)
    : ok(title, `${presence ?? 'not found'}; connected as ${server.name} in ${server.file}`);
  return { check, isConnected: true };
}

/** How the client is installed on this machine; undefined if it is not. */
async function findClient(id: ClientId, place: Place, config: Config): Promise<string | undefined> {
  if (id !== 'claude-code') {
    return existsSync(clientApps[id].directory(place)) ? 'found' : undefined;
  }
  const command = findClaudeCode(config);
  if (command === undefined) return undefined;
  const version = await detectClaudeCode(command, config.env);
  return version === undefined ? `${command}, which does not say its version` : `${version} (${command})`;
}

function configuredServers(id: ClientId, place: Place): (ConfiguredServer & { file: string })[] {
  const { configFile, serversKey } = clientApps[id];
  const file = configFile(place);
  const inFile = findOurs(readClientFile(file)?.[serversKey]).map((server) => ({ ...server, file }));
  return id === 'claude-code' ? [...inClaudeState(place), ...inFile] : inFile;
}

/** Claude Code keeps the servers of its user and local scopes in a separate file. */
function inClaudeState({ env, home, project }: Place): (ConfiguredServer & { file: string })[] {
  const file = join(env.CLAUDE_CONFIG_DIR || home, '.claude.json');
  const state = readClientFile(file) ?? {};
  const projects = isObject(state.projects) ? state.projects : {};
  const local = projects[project];
  return [state.mcpServers, isObject(local) ? local.mcpServers : undefined].flatMap((servers) =>
    findOurs(servers).map((server) => ({ ...server, file })),
  );
}

/** This server in a client's config. */
interface ConfiguredServer {
  name: string;
  /** The file that the client would start, if it no longer exists. */
  missing?: string;
}

/** Reads a client's JSON file; undefined if it does not exist. Throws an error that names the file if it cannot be read. */
function readClientFile(file: string): Record<string, unknown> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    return isObject(value) ? value : undefined;
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** The servers that are this program: by their name, or by what they start. */
export function findOurs(servers: unknown): ConfiguredServer[] {
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

function wordsOf({ command, args }: Record<string, unknown>): string[] {
  return [command, ...(Array.isArray(args) ? args : [])].filter((word) => typeof word === 'string');
}
