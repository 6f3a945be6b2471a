import { resolve } from 'node:path';
import type { Config } from '../base/config.js';
import { resolvePath } from '../base/config-file.js';
import { type Flags, settingOrDefault } from '../base/settings.js';
import { noConfig, readConfig, readConfigSkippingInvalid } from '../config.js';

export interface ConfigDespiteErrors {
  config: Config;
  /** Why some environment variables were ignored. For the config file, `readConfigFile` gives the reason. */
  settingProblem?: unknown;
}

/**
 * The settings as far as they can be read: without the config file if it is broken, and without the variables that have
 * an invalid value. For commands that help to correct them.
 */
export function readConfigDespiteErrors(flags: Flags): ConfigDespiteErrors {
  try {
    return { config: readConfig(flags) };
  } catch {
    return readWithoutFile(flags);
  }
}

function readWithoutFile(flags: Flags): ConfigDespiteErrors {
  try {
    return { config: withTruePath(readConfig({ ...flags, config: noConfig }), flags) };
  } catch (settingProblem) {
    const config = readConfigSkippingInvalid({ ...flags, config: noConfig });
    return { config: withTruePath(config, flags), settingProblem };
  }
}

function withTruePath(config: Config, flags: Flags): Config {
  const given = settingOrDefault(config.env, 'AGENT_RUNTIME_CONFIG', flags);
  return { ...config, configPath: resolvePath(given, { home: config.home, configPath: resolve('config') }) };
}
