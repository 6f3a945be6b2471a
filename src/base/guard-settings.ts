import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isObject } from './json.js';
import { parseJsonc } from './jsonc.js';
import { type Environment, oneOf, readDatabaseUrl, readSetting, settingOrDefault } from './settings.js';

export const guardModes = ['refuse', 'warn', 'off'] as const;
export type GuardMode = (typeof guardModes)[number];

/** The mode of the guard: the variable wins over the config file. Throws `invalid` for another word. */
export function guardModeOf(env: Environment, inFile: unknown): GuardMode {
  const text = readSetting(env, 'AGENT_RUNTIME_GUARD') ?? inFile ?? settingOrDefault(env, 'AGENT_RUNTIME_GUARD');
  return oneOf(guardModes, 'AGENT_RUNTIME_GUARD', String(text));
}

/** What the guard needs of the settings. */
export interface GuardSettings {
  mode: GuardMode;
  dbPath: string;
  dbUrl: string | undefined;
  hostId: string | undefined;
}

/**
 * The settings of a guard that runs before each edit: to read and check all of them takes longer than the guard itself.
 * Undefined where the config file names a file of secrets, which may have the address of the database.
 */
export function readGuardSettings(env: Environment): GuardSettings | undefined {
  const home = env.HOME || homedir();
  const atHome = (path: string) => path.replace(/^~(?=$|\/)/, home);
  const configPath = atHome(settingOrDefault(env, 'AGENT_RUNTIME_CONFIG'));
  const value = existsSync(configPath) ? parseJsonc(readFileSync(configPath, 'utf8')).value : undefined;
  const file = isObject(value) ? value : {};
  const mode = guardModeOf(env, file.guard);
  if (mode !== 'off' && file.secretsFile !== undefined) return undefined;
  const dbPath = atHome(settingOrDefault(env, 'AGENT_RUNTIME_DB_PATH'));
  return { mode, dbPath, dbUrl: readDatabaseUrl(env), hostId: readSetting(env, 'AGENT_RUNTIME_HOST_ID') };
}
