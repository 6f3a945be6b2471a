import type { Config } from '../base/config.js';
import { type Setting, settings } from '../base/settings.js';

/** What any program needs to run and to reach the network as its user would. */
const ordinary = [
  'HOME',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'XDG_CONFIG_HOME',
  // Windows
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'USERNAME',
  'USERPROFILE',
  // Where the user's own agent CLI keeps its login, if it is not in the home.
  'CLAUDE_CONFIG_DIR',
];

/**
 * The environment of a detached runner: what any program needs, and this program's own settings with the providers'
 * keys. Of the session that started it, and of other secrets, nothing. Resolved paths win over how they were given.
 */
export function runnerEnvironment(config: Config): Record<string, string> {
  const passed = [
    ...ordinary,
    ...settings.flatMap((setting: Setting) => (setting.isForServerOnly ? [] : [setting.name])),
    ...(config.providers.claudeCode.passEnv ?? []),
  ];
  const templated = [...(config.pricesUrl ?? '').matchAll(/\{env:(\w+)\}/g)].flatMap(([, name]) => name ?? []);
  const env: Record<string, string> = {};
  for (const name of [...passed, ...templated]) {
    const value = config.env[name];
    if (value) env[name] = value;
  }
  return {
    ...env,
    ...given('ANTHROPIC_API_KEY', config.providers.anthropic.apiKey),
    ...given('GOOGLE_API_KEY', config.providers.google.apiKey),
    ...given('OLLAMA_BASE_URL', config.providers.ollama.baseUrl),
    AGENT_RUNTIME_DB_PATH: config.dbPath,
    AGENT_RUNTIME_CONFIG: config.configPath,
    AGENT_RUNTIME_DATA_DIR: config.dataDir,
    AGENT_RUNTIME_LOG_LEVEL: config.logLevel,
    AGENT_RUNTIME_DEPTH: String(config.depth),
  };
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}
