import { type Config, environmentWithout, type Flags, readConfigWith } from './base/config.js';
import type { Environment, SettingName } from './base/settings.js';
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

/** The settings without some variables, for commands that help when those are wrong. */
export function readConfigIgnoring(names: readonly SettingName[], flags?: Flags): Config {
  return readConfig(flags, environmentWithout(names));
}

/** The defaults alone, for when the real settings cannot be read. */
export function defaultConfig(): Config {
  const { HOME } = environmentWithout([]);
  return readConfig({ config: '/dev/null' }, { HOME });
}
