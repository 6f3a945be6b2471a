import { findCommand } from '../../base/child-environment.js';
import { systemClock } from '../../base/clock.js';
import type { Config } from '../../base/config.js';
import { messageOf } from '../../base/errors.js';
import { silentLog } from '../../base/log.js';
import { createRedactor, type Redact } from '../../base/redact.js';
import { isShared, type ServerSettings, usualStartMs } from '../../base/server-settings.js';
import { CallFailure } from '../../downstream/connection/call-failure.js';
import type { Connection } from '../../downstream/connection/connection.js';
import { keeperSocket } from '../../downstream/connection/keeper-place.js';
import { lookAtKeeper } from '../../downstream/connection/keeper-transport.js';
import { lastWords } from '../../downstream/connection/last-words.js';
import { prepareLaunch, toolServerMark } from '../../downstream/connection/launch.js';
import { loginCommand } from '../../downstream/connection/oauth/login-file.js';
import { ServerLauncher } from '../../downstream/server-launcher.js';
import { endMarked } from '../../runner/descendants.js';
import { systemProcesses } from '../../runner/identity.js';
import { commandName } from '../launch.js';
import { type Check, checksOf } from './check.js';

const servers = checksOf('Tool servers');

/** Servers that are tried at once: each is a process, and together they must not slow one another down too much. */
const mostAtOnce = 8;

/**
 * Whether each server of the config file starts and lists its tools, tried side by side: one that hangs costs the others
 * nothing. Nothing is written, so it works without a database.
 */
export async function checkServers(config: Config): Promise<Check[]> {
  const { used, unused } = config.servers;
  const entries = Object.entries(used);
  if (entries.length + unused.length === 0) return [servers.ok('servers', 'the config file names none')];
  const redact = createRedactor(config.secrets);
  const clock = systemClock();
  // Nothing is on record of what lives for a moment; what a server starts in groups of its own is ended all the same.
  const processes = {
    announce: async () => {},
    started: async () => {},
    ended: async (id: string) => void endMarked(toolServerMark, id),
    sweep: async () => 0,
  };
  // Without the keeper: what the sessions share is tried in a process of its own.
  const launcher = new ServerLauncher({ config, clock, log: silentLog, redact, processes });
  const checks: Check[] = [];
  let next = 0;
  async function work(): Promise<void> {
    for (let index = next++; index < entries.length; index = next++) {
      const [name, settings] = entries[index] as [string, ServerSettings];
      checks[index] = checkSettings(name, settings, config) ?? (await tryServer(name, settings, { launcher, redact }));
    }
  }
  try {
    await Promise.all(Array.from({ length: mostAtOnce }, work));
  } finally {
    launcher.close();
  }
  const isAnyShared = entries.some(([, settings]) => isShared(settings));
  return [
    ...checks,
    ...(isAnyShared ? [await checkKeeper(config)] : []),
    ...unused.map(({ server, problem }) => checkUnused(server, problem, config)),
  ];
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

function checkUnused(name: string, problem: string | undefined, { configPath }: Config): Check {
  if (problem === undefined) return servers.ok(name, 'it is switched off in the config file');
  return servers.warn(name, `its entry is left out: ${problem}`, `Correct it in ${configPath}.`);
}

/** What keeps it from being started at all; undefined if nothing does. */
function checkSettings(name: string, settings: ServerSettings, config: Config): Check | undefined {
  try {
    const launch = prepareLaunch(settings, config, 'doctor');
    if (launch.kind === 'http') return undefined;
    if (findCommand(launch.command, launch.env) !== undefined || launch.command.includes('/')) return undefined;
    return servers.warn(name, `its command ${launch.command} is not found`, 'Give the full path, or install it.');
  } catch (error) {
    return servers.warn(name, messageOf(error), `Correct its entry in ${config.configPath}.`);
  }
}

/** Starts it, asks for its tools, and ends it. */
async function tryServer(
  name: string,
  settings: ServerSettings,
  { launcher, redact }: { launcher: ServerLauncher; redact: Redact },
): Promise<Check> {
  const startedAt = performance.now();
  const limitMs = settings.startTimeout ?? usualStartMs;
  let connection: Connection | undefined;
  try {
    const request = { server: name, instance: name, settings, timeoutMs: limitMs };
    connection = await launcher.open(request, { onClosed() {}, onToolsChanged() {}, onListChanged() {} });
    const tools = await connection.listTools(limitMs);
    return servers.ok(name, `${tools.length} tools, in ${Math.round(performance.now() - startedAt)} ms`);
  } catch (error) {
    if (error instanceof CallFailure && error.kind === 'needs_login') {
      return servers.warn(name, 'it needs a login', `Run: ${loginCommand(name)}`);
    }
    const said = error instanceof CallFailure ? lastWords(error.detail, redact) : undefined;
    const wrote = said === undefined ? '' : `\nit wrote: ${said}`;
    return servers.warn(
      name,
      `${messageOf(error)}${wrote}`,
      `To try it for longer: ${commandName} servers check ${name}`,
    );
  } finally {
    await connection?.close();
  }
}
