import type { Config } from '../base/config.js';
import type { ServerSettings } from '../base/server-settings.js';
import { mayNeedLogin, prepareLaunch } from './connection/launch.js';
import { LoginFile, loginCommand } from './connection/oauth/login-file.js';

/** What a person must do before a server can be called, as the last one who asked it found out; undefined if nothing. */
export function wantedLogin(server: string, settings: ServerSettings, config: Config): string | undefined {
  try {
    const launch = prepareLaunch(settings, config, 'login');
    if (!mayNeedLogin(launch)) return undefined;
    const login = new LoginFile({ dataDir: config.dataDir, server, url: launch.url });
    return login.read()?.isWanted === true ? `it needs a login; run: ${loginCommand(server)}` : undefined;
  } catch {
    // Whoever starts it says what is missing in its settings.
    return undefined;
  }
}
