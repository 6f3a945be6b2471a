import type { Config } from '../../base/config.js';
import { messageOf } from '../../base/errors.js';
import { detectClaudeCode } from '../../llm/index.js';
import { isPresent } from '../install/client-app.js';
import { type ClientId, clientIds, clientOf } from '../install/clients.js';
import { type ConnectedServer, findConnected } from '../install/connected.js';
import { type Machine, machineOf } from '../install/machine.js';
import { commandName } from '../launch.js';
import { type Check, checksOf } from './check.js';

const { ok, warn } = checksOf('Clients');

/** Which clients are installed, and which of them start this server. */
export async function checkClients(config: Config, platform = process.platform): Promise<Check[]> {
  const machine = machineOf(config, platform);
  const found = await Promise.all(clientIds.map((id) => checkClient(id, machine, config)));
  const checks = found.flatMap(({ check }) => check ?? []);
  const absent = clientIds.filter((_, index) => found[index]?.check === undefined);
  if (absent.length > 0) checks.push(ok('others', `not found: ${absent.map((id) => clientOf(id).title).join(', ')}`));
  if (found.some(({ isConnected }) => isConnected)) return checks;
  return [...checks, warn('connected', 'no client starts this server yet', `Run: ${commandName} install`)];
}

interface Found {
  /** Absent for a client that has not run on this machine. */
  check?: Check;
  isConnected: boolean;
}

async function checkClient(id: ClientId, machine: Machine, config: Config): Promise<Found> {
  const { title } = clientOf(id);
  const presence = await findClient(id, machine, config);
  const fix = `Run: ${commandName} install --client ${id}`;
  let servers: ConnectedServer[];
  try {
    servers = await findConnected(id, machine.place);
  } catch (error) {
    const reason = messageOf(error);
    return { check: warn(title, `its config cannot be read; ${reason}`, 'Correct the file.'), isConnected: false };
  }
  const [server] = servers;
  if (!server) {
    return {
      ...(presence === undefined ? {} : { check: warn(title, `${presence}; not connected`, fix) }),
      isConnected: false,
    };
  }
  const broken = servers.find((one) => one.missing !== undefined);
  const check = broken
    ? warn(title, `${broken.name} in ${broken.file} starts ${broken.missing}, which does not exist`, `${fix} --write`)
    : ok(title, `${presence ?? 'not found'}; connected as ${server.name} in ${server.file}`);
  return { check, isConnected: true };
}

/** How the client is installed on this machine; undefined if it is not. */
async function findClient(id: ClientId, { place, claude }: Machine, config: Config): Promise<string | undefined> {
  if (id !== 'claude-code') return isPresent(clientOf(id), place) ? 'found' : undefined;
  if (claude === undefined) return undefined;
  const version = await detectClaudeCode(claude, config.env);
  return version === undefined ? `${claude}, which does not say its version` : `${version} (${claude})`;
}
