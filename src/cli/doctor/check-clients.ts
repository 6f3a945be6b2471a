import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../base/config.js';
import { messageOf } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { detectClaudeCode, findClaudeCode } from '../../llm/index.js';
import { commandName } from '../connect-lines.js';
import { type ClientId, clientApps, clientIds, type Place } from '../install/clients.js';
import { type Check, checksOf } from './check.js';
import { type ConfiguredServer, findOurs, readClientFile } from './configured-servers.js';

const { ok, warn } = checksOf('Clients');

/** Which clients are here, and which of them start this server. */
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
  const mend = `Run: ${commandName} install --client ${id}`;
  let servers: (ConfiguredServer & { file: string })[];
  try {
    servers = configuredServers(id, place);
  } catch (error) {
    const reason = messageOf(error);
    return { check: warn(title, `its config cannot be read; ${reason}`, 'Mend the file.'), isConnected: false };
  }
  const [server] = servers;
  if (!server) {
    const check = presence === undefined ? ok(title, 'not found') : warn(title, `${presence}; not connected`, mend);
    return { check, isConnected: false };
  }
  const broken = servers.find((one) => one.missing !== undefined);
  const check = broken
    ? warn(title, `${broken.name} in ${broken.file} starts ${broken.missing}, which is not there`, `${mend} --write`)
    : ok(title, `${presence ?? 'not found'}; connected as ${server.name} in ${server.file}`);
  return { check, isConnected: true };
}

/** In what form the client is on this machine, or nothing. */
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

/** Claude Code keeps its user and local scopes in a file of its own. */
function inClaudeState({ env, home, project }: Place): (ConfiguredServer & { file: string })[] {
  const file = join(env.CLAUDE_CONFIG_DIR || home, '.claude.json');
  const state = readClientFile(file) ?? {};
  const projects = isObject(state.projects) ? state.projects : {};
  const local = projects[project];
  return [state.mcpServers, isObject(local) ? local.mcpServers : undefined].flatMap((servers) =>
    findOurs(servers).map((server) => ({ ...server, file })),
  );
}
