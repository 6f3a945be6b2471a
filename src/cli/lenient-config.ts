import { resolve } from 'node:path';
import type { Config, Flags } from '../base/config.js';
import { resolvePath } from '../base/config-file.js';
import { readSetting } from '../base/settings.js';
import { readConfig, readConfigIgnoring } from '../config.js';

export interface LenientConfig {
  config: Config;
  /** Why some of the environment was left out of account; `readConfigFile` says the same of the file. */
  settingProblem?: unknown;
}

/**
 * The settings as far as they can be read, for commands that are there to help when they cannot: without the config file
 * if that is broken, and without the variables that have a wrong value.
 */
export function readLenientConfig(flags: Flags): LenientConfig {
  try {
    return { config: readConfig(flags) };
  } catch {
    return readWithoutFile(flags);
  }
}

/** The variables that not every value will do for. */
const fallible = [
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

/** Empty on every system that has it, and absent on the others. */
const noConfig = '/dev/null';

function readWithoutFile(flags: Flags): LenientConfig {
  try {
    return { config: withTruePath(readConfig({ ...flags, config: noConfig }), flags) };
  } catch (settingProblem) {
    const config = readConfigIgnoring(fallible, { ...flags, config: noConfig });
    return { config: withTruePath(config, flags), settingProblem };
  }
}

function withTruePath(config: Config, flags: Flags): Config {
  const given = flags.config ?? readSetting(config.env, 'AGENT_RUNTIME_CONFIG') ?? '~/.claude/agent_runtime.json';
  return { ...config, configPath: resolvePath(given, { home: config.home, configPath: resolve('config') }) };
}
