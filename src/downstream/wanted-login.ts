import type { Config } from '../base/config.js';
import type { ServerSettings } from '../base/server-settings.js';
import { mayNeedLogin, prepareLaunch } from './connection/launch.js';
import { LoginFile, loginCommand } from './connection/oauth/login-file.js';

/** The login to a server; undefined for one that needs none, or whose settings are not complete. */
export function loginTo(server: string, settings: ServerSettings, config: Config): LoginFile | undefined {
  try {
    const launch = prepareLaunch(settings, config, 'login');
    return mayNeedLogin(launch) ? new LoginFile({ dataDir: config.dataDir, server, url: launch.url }) : undefined;
  } catch {
    // Whoever starts it says what is missing.
    return undefined;
  }
}

/** What a person must do before a server can be called, as the last one who asked it found out; undefined if nothing. */
export function wantedLogin(server: string, settings: ServerSettings, config: Config): string | undefined {
  const isWanted = loginTo(server, settings, config)?.read()?.isWanted === true;
  return isWanted ? `it needs a login; run: ${loginCommand(server)}` : undefined;
}
