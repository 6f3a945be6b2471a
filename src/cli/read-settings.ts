import { existsSync } from 'node:fs';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import type { Flags } from '../base/settings.js';
import { readConfig } from '../config.js';

/**
 * The settings of one command. The usual config file need not exist, but one that was named with `--config` must: a
 * misspelt name would pass for an empty file. Throws as `readConfig` does, and `not_found`.
 */
export function readSettings(flags: Flags): Config {
  const config = readConfig(flags);
  if (flags.config === undefined || existsSync(config.configPath)) return config;
  throw new RuntimeError(
    'not_found',
    `There is no config file ${config.configPath}.`,
    'Correct --config, or leave it out: without a config file the defaults apply.',
  );
}
