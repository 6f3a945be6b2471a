import type { Config } from '../../base/config.js';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { type Launch, mayNeedLogin, prepareLaunch } from '../../downstream/connection/launch.js';
import { LoginFile } from '../../downstream/connection/oauth/login-file.js';
import type { CommandContext } from '../define-command.js';
import { createInterruption } from '../interruption.js';
import { commandName } from '../launch.js';
import { openBrowser } from '../open-browser.js';
import { settingOf } from '../with-runtime.js';

export interface LoginOptions {
  server: string;
  opensBrowser: boolean;
  /** Seconds that the person has. */
  timeout: number | undefined;
}

const usualSeconds = 300;
const mostSeconds = 86_400;

/** Logs the user in to a server, in a browser. A command and no tool: only a person can. */
export async function loginToServer(
  { server, opensBrowser, timeout = usualSeconds }: LoginOptions,
  { flags, output }: CommandContext,
): Promise<void> {
  const { launch, login } = loginOf(server, settingOf(flags).config);
  const { logIn } = await import('../../downstream/connection/oauth/log-in.js');
  const interruption = createInterruption(output, { isAnnounced: false });
  try {
    await logIn({
      launch,
      login,
      now: Date.now,
      timeoutMs: Math.min(timeout, mostSeconds) * 1_000,
      signal: interruption.signal,
      show(address) {
        output.say(`Log in to ${server} here:\n${address}`);
        if (opensBrowser) openBrowser(address);
      },
      onStranger: () => output.say('A redirect that belongs to another login was turned away.'),
    });
  } finally {
    interruption.end();
  }
  if (flags.isJson) output.printJson({ server, logged_in: true });
  else output.print(`Logged in to ${server}. Next: ${commandName} servers check ${server}`);
}

/** Deletes the login to a server. */
export async function logoutOfServer({ server }: { server: string }, { flags, output }: CommandContext): Promise<void> {
  const { launch, login } = loginOf(server, settingOf(flags).config);
  const { logOut } = await import('../../downstream/connection/oauth/log-in.js');
  const wasLoggedIn = await logOut(login, launch.oauth);
  if (flags.isJson) output.printJson({ server, was_logged_in: wasLoggedIn });
  else output.print(wasLoggedIn ? `Logged out of ${server}.` : `There was no login to ${server}.`);
}

/** Throws `not_found` for an unknown server, and `invalid` for one that nobody can log in to. */
function loginOf(server: string, config: Config): { launch: Extract<Launch, { kind: 'http' }>; login: LoginFile } {
  const settings = config.servers.used[server];
  if (!settings) {
    const names = Object.keys(config.servers.used).join(', ');
    throw new RuntimeError(
      'not_found',
      `The config file has no server ${JSON.stringify(server)} that is used.`,
      names === '' ? `It has none: add mcpServers to ${config.configPath}.` : `Its servers are: ${names}.`,
    );
  }
  const launch = launchOf(server, settings, config);
  if (mayNeedLogin(launch)) {
    return { launch, login: new LoginFile({ dataDir: config.dataDir, server, url: launch.url }) };
  }
  throw launch.kind === 'stdio'
    ? new RuntimeError('invalid', `The server ${server} is a command of this machine.`, 'It takes its keys from env.')
    : new RuntimeError(
        'invalid',
        `The server ${server} gets an Authorization header from the config file.`,
        `Remove that header from ${config.configPath} to log in instead.`,
      );
}

function launchOf(server: string, settings: Parameters<typeof prepareLaunch>[0], config: Config): Launch {
  try {
    return prepareLaunch(settings, config, 'login');
  } catch (error) {
    throw new RuntimeError(
      'invalid',
      `The server ${server} cannot be reached: ${messageOf(error)}.`,
      `Correct its entry in ${config.configPath}.`,
      { cause: error },
    );
  }
}
