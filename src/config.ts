import { type Config, readConfigWith } from './base/config.js';
import { configJsonSchema, readConfigFile } from './base/config-file.js';
import { environmentWithout } from './base/environment.js';
import type { ConfiguredServers } from './base/server-settings.js';
import { type Environment, type Flags, readSetting, type Setting, settings, warnOfUnknown } from './base/settings.js';
import { providers } from './llm/providers.js';

/**
 * Reads all settings: flags over environment over the config file over defaults.
 *
 * @param environment this process's own unless given
 * @throws RuntimeError `invalid`, naming the variable or the config file's key, and what it may be
 */
export function readConfig(flags?: Flags, environment?: Environment): Config {
  return readConfigWith(providers, flags, environment);
}

/** The settings without the variables that have an invalid value, for commands that help to correct them. */
export function readConfigSkippingInvalid(flags?: Flags): Config {
  const environment = environmentWithout([]);
  const invalid = settings.flatMap((setting: Setting) => (isInvalid(setting, environment) ? namesOf(setting) : []));
  return readConfig(flags, environmentWithout(invalid));
}

/** A sentence for each variable of this process's environment that is most likely misspelt. */
export function environmentWarnings(): string[] {
  return warnOfUnknown(environmentWithout([]), providers);
}

/** The tool servers of a config file. Throws `invalid` if the file is not as it should be. */
export function readServers(configPath: string): ConfiguredServers {
  return readConfigFile(configPath, providers).servers;
}

/** The schema of the config file as JSON Schema. The package has it as `dist/config.schema.json`. */
export function configFileJsonSchema(): object {
  return { title: 'Config file of agent-runtime-mcp', ...configJsonSchema(providers) };
}

const namesOf = ({ name, aliases = [] }: Setting): string[] => [name, ...aliases];

function isInvalid(setting: Setting, environment: Environment): boolean {
  if (!setting.isChecked && !setting.atMost) return false;
  try {
    readConfig({ config: noConfig }, { [setting.name]: readSetting(environment, setting) });
    return false;
  } catch {
    return true;
  }
}

/** The defaults alone, for when the real settings cannot be read. */
export function defaultConfig(): Config {
  const { HOME } = environmentWithout([]);
  return readConfig({ config: noConfig }, { HOME });
}

/** An empty file where it exists, and a missing one elsewhere: both read as an empty config. */
export const noConfig = '/dev/null';
