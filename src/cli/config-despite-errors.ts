import { resolve } from 'node:path';
import type { Config, Flags } from '../base/config.js';
import { resolvePath } from '../base/config-file.js';
import { readSetting } from '../base/settings.js';
import { readConfig, readConfigIgnoring } from '../config.js';

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

/** The variables that can have an invalid value. */
const checkedVariables = [
  'AGENT_RUNTIME_LOG_LEVEL',
  'AGENT_RUNTIME_WORKER_SLOTS',
  'AGENT_RUNTIME_MAX_RUNNING_JOBS',
  'AGENT_RUNTIME_SEARCH_BACKEND',
  'AGENT_RUNTIME_CONTACT',
  'SEARXNG_URL',
  'BRAVE_BASE_URL',
  'TAVILY_BASE_URL',
  'ARXIV_BASE_URL',
] as const;

/** An empty file where it exists, and a missing one elsewhere: both read as an empty config. */
const noConfig = '/dev/null';

function readWithoutFile(flags: Flags): ConfigDespiteErrors {
  try {
    return { config: withTruePath(readConfig({ ...flags, config: noConfig }), flags) };
  } catch (settingProblem) {
    const config = readConfigIgnoring(checkedVariables, { ...flags, config: noConfig });
    return { config: withTruePath(config, flags), settingProblem };
  }
}

function withTruePath(config: Config, flags: Flags): Config {
  const given = flags.config ?? readSetting(config.env, 'AGENT_RUNTIME_CONFIG') ?? '~/.claude/agent_runtime.json';
  return { ...config, configPath: resolvePath(given, { home: config.home, configPath: resolve('config') }) };
}
