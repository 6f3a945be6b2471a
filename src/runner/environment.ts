import { delimiter } from 'node:path';
import type { AgentRegistry } from '../agents/index.js';
import type { Config } from '../base/config.js';
import { ordinaryVariables } from '../base/ordinary-variables.js';
import { type Setting, settings } from '../base/settings.js';
import type { Capabilities } from '../core/jobs/claim-job.js';
import type { Models } from '../llm/index.js';

/**
 * The environment of a detached runner: what any program needs, and this program's own settings with the providers'
 * keys. Of the session that started it, and of other secrets, nothing. Resolved paths win over how they were given.
 */
export function runnerEnvironment(config: Config): Record<string, string> {
  const passed = [
    ...ordinaryVariables,
    ...settings.flatMap((setting: Setting) => (setting.isForServerOnly ? [] : [setting.name])),
    ...(config.providers.claudeCode.passEnv ?? []),
    ...[...config.commands.values()].flatMap(({ env }) => env),
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
    ...given('AGENT_RUNTIME_AGENTS', config.agents.join(delimiter) || undefined),
    AGENT_RUNTIME_DB_PATH: config.dbPath,
    AGENT_RUNTIME_CONFIG: config.configPath,
    AGENT_RUNTIME_DATA_DIR: config.dataDir,
    AGENT_RUNTIME_LOG_LEVEL: config.logLevel,
    AGENT_RUNTIME_DEPTH: String(config.depth),
  };
}

/** The environment of a process that only looks at a module of the user's: as a runner's, without any secret. */
export function moduleEnvironment(config: Config): Record<string, string> {
  const entries = Object.entries(runnerEnvironment(config));
  return Object.fromEntries(entries.filter(([, value]) => !config.secrets.includes(value)));
}

/** What a runner of this configuration can run. Ollama needs no key, so it counts as configured. */
export function capabilitiesOf(models: Models, { types, provides }: AgentRegistry): Capabilities {
  const providers = models.available().filter(({ id, isConfigured }) => isConfigured || id === 'ollama');
  return { types, provides: [...providers.map(({ id }) => id), ...provides] };
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}
