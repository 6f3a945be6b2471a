import { findCommand } from '../../base/child-environment.js';
import { systemClock } from '../../base/clock.js';
import type { Config } from '../../base/config.js';
import { messageOf, reportError } from '../../base/errors.js';
import { isShared, type ServerSettings } from '../../base/server-settings.js';
import { keeperSocket } from '../../downstream/connection/keeper-place.js';
import { lookAtKeeper } from '../../downstream/connection/keeper-transport.js';
import { prepareLaunch } from '../../downstream/connection/launch.js';
import { loginCommand } from '../../downstream/connection/oauth/login-file.js';
import { chooseBackends, searchBackends } from '../../downstream/native/web-search.js';
import { loginTo } from '../../downstream/wanted-login.js';
import { createModels, type Models } from '../../llm/index.js';
import { systemProcesses } from '../../runner/identity.js';
import { commandName } from '../launch.js';
import { type Check, checksOf } from './check.js';

const models = checksOf('Models');
const search = checksOf('Search');
const servers = checksOf('Tool servers');

/** Which models answer background tasks and plan goals. No provider is called. */
export function checkModels(config: Config, configured = createModels(config)): Check[] {
  const providers = configured
    .available()
    .map(({ id, isConfigured, defaultModel, fix }) =>
      isConfigured
        ? models.ok(id, `set up${defaultModel ? `; ${defaultModel}` : ''}`)
        : models.ok(id, 'not set up', fix),
    );
  return [...providers, ...checkDefault(configured)];
}

function checkDefault(configured: Models): Check[] {
  const name = configured.defaultModel();
  if (name === undefined) {
    return [
      models.warn('default', 'none: background tasks need a model', 'Set up one of the providers above.'),
      models.ok('planner', "decompose_goal asks the client's model, or else its caller, for the plan"),
    ];
  }
  try {
    const { provider, model, warnings } = configured.resolve(name);
    configured.provider(provider);
    const detail = [`${name} (${[provider, model].filter(Boolean).join(', ')})`, ...warnings].join('\n');
    return [
      warnings.length > 0
        ? models.warn('default', detail, 'Set AGENT_RUNTIME_MODEL to a current model.')
        : models.ok('default', detail),
      models.ok('planner', `decompose_goal asks the client's model, or else ${name}`),
    ];
  } catch (error) {
    const { message, hint } = reportError(error);
    return [models.fail('default', message, hint)];
  }
}

/** Which service answers web_search. No service is called. */
export function checkSearch({ native }: Config): Check[] {
  if (native.searchBackend === undefined && !searchBackends.some((backend) => backend.isConfigured(native))) {
    return [search.ok('web_search', 'not set up', searchBackends.map(({ advice }) => advice).join('\n'))];
  }
  try {
    const [first, ...others] = chooseBackends(native).map(({ service, setting }) => `${service} (${setting} is set)`);
    const then = others.length === 0 ? '' : `, and if it fails ${others.join(', ')}`;
    return [search.ok('web_search', `asks ${first}${then}`)];
  } catch (error) {
    const { message, hint } = reportError(error);
    return [search.warn('web_search', message, hint)];
  }
}

/** Whether each server of the config file can probably be started. No server is started. */
export async function checkServers(config: Config): Promise<Check[]> {
  const { used, unused } = config.servers;
  const configured = Object.entries(used);
  if (configured.length + unused.length === 0) return [servers.ok('servers', 'the config file names none')];
  const isAnyShared = configured.some(([, settings]) => isShared(settings));
  return [
    ...configured.map(([name, settings]) => checkServer(name, settings, config)),
    ...(isAnyShared ? [await checkKeeper(config)] : []),
    ...unused.map(({ server, problem }) => checkUnused(server, problem, config)),
  ];
}

function checkUnused(name: string, problem: string | undefined, { configPath }: Config): Check {
  if (problem === undefined) return servers.ok(name, 'it is switched off in the config file');
  return servers.warn(name, `its entry is left out: ${problem}`, `Correct it in ${configPath}.`);
}

async function checkKeeper(config: Config): Promise<Check> {
  const socket = keeperSocket(config, systemProcesses(systemClock().bootId).self());
  const kept = await lookAtKeeper(socket);
  if (!kept) return servers.ok('keeper', 'not running; the first call of a shared server starts it');
  const running = kept.instances.map(
    ({ id, pid, sessions }) => `${id} (pid ${pid}, ${sessions} ${sessions === 1 ? 'session' : 'sessions'})`,
  );
  return servers.ok('keeper', `pid ${kept.pid}, keeps ${running.join(', ') || 'nothing now'}`);
}

function checkServer(name: string, settings: ServerSettings, config: Config): Check {
  const next = `${commandName} servers check ${name}`;
  try {
    const launch = prepareLaunch(settings, config, 'doctor');
    if (launch.kind === 'http') {
      const login = loginTo(name, settings, config)?.read();
      if (login?.isWanted) {
        return servers.warn(name, `${launch.url.origin}: it needs a login`, `Run: ${loginCommand(name)}`);
      }
      return servers.ok(name, `${launch.url.origin}${login?.tokens ? ', logged in' : ''}; to try it: ${next}`);
    }
    const path = findCommand(launch.command, launch.env);
    const shared = isShared(settings) ? ', shared by all sessions' : '';
    if (path !== undefined || launch.command.includes('/'))
      return servers.ok(name, `${launch.command}${shared}; to try it: ${next}`);
    return servers.warn(name, `its command ${launch.command} is not found`, 'Give the full path, or install it.');
  } catch (error) {
    return servers.warn(name, messageOf(error), `Correct its entry in ${config.configPath}.`);
  }
}
