import type { Config } from '../../base/config.js';
import { messageOf } from '../../base/errors.js';
import { findCommand } from '../../base/find-command.js';
import type { ServerSettings } from '../../base/server-settings.js';
import { prepareLaunch } from '../../downstream/connection/launch.js';
import { commandName } from '../connect-lines.js';
import { type Check, checksOf } from './check.js';

const { ok, warn } = checksOf('Tool servers');

/** Whether each server of the config file could be started, as far as can be seen without starting it. */
export function checkServers(config: Config): Check[] {
  const servers = Object.entries(config.mcpServers);
  if (servers.length === 0) return [ok('servers', 'the config file names none')];
  return servers.map(([name, settings]) => checkServer(name, settings, config));
}

function checkServer(name: string, settings: ServerSettings, config: Config): Check {
  const next = `${commandName} servers check ${name}`;
  try {
    const launch = prepareLaunch(settings, config, 'doctor');
    if (launch.kind === 'http') return ok(name, `${launch.url.origin}; to try it: ${next}`);
    const path = findCommand(launch.command, launch.env);
    if (path !== undefined || launch.command.includes('/')) return ok(name, `${launch.command}; to try it: ${next}`);
    return warn(name, `its command ${launch.command} is not found`, 'Give the full path, or install it.');
  } catch (error) {
    return warn(name, messageOf(error), `Mend its entry in ${config.configPath}.`);
  }
}
