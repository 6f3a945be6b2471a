import type { Command } from 'commander';
import type { Config } from '../base/config.js';
import { type Log, type LogLevel, logLevels, openLog } from '../base/log.js';
import type { Flags } from '../base/settings.js';
import { choice, flag, readOptions, text, toCommanderOption } from './options.js';

/** The options that every command takes, before or after its name. */
export interface GlobalFlags {
  /** The options that override settings. */
  settings: Flags;
  /** One JSON document on stdout, also for a failure. */
  isJson: boolean;
  /** Nothing on stderr but failures. */
  isQuiet: boolean;
  /** Debug log lines, and the stack of a failure. */
  isVerbose: boolean;
  /** The log on stderr as JSON, also on a terminal. */
  isJsonLogs: boolean;
}

export const globalOptions = {
  db: text('--db <file>', 'the database file (AGENT_RUNTIME_DB_PATH)'),
  config: text('--config <file>', 'the config file (AGENT_RUNTIME_CONFIG)'),
  dataDir: text('--data-dir <dir>', 'backups, logs and artifacts (AGENT_RUNTIME_DATA_DIR)'),
  logLevel: choice('--log-level <level>', 'the lowest level that is logged to stderr', logLevels),
  toolsets: text('--toolsets <names>', 'tools to offer: all, core, or names separated by commas'),
  isReadOnly: flag('--read-only', 'offer only tools that change nothing'),
  isJson: flag('--json', 'print one JSON document'),
  isQuiet: flag('-q, --quiet', 'print only the answer and failures'),
  isVerbose: flag('-v, --verbose', 'log everything, and print the stack of a failure'),
  isJsonLogs: flag('--json-logs', 'log as JSON lines, also on a terminal'),
};

export function addGlobalFlags(program: Command): void {
  for (const option of Object.values(globalOptions)) program.addOption(toCommanderOption(option));
}

export function globalFlagsOf(command: Command): GlobalFlags {
  const { db, config, dataDir, logLevel, toolsets, isReadOnly, ...flags } = readOptions(
    globalOptions,
    command.optsWithGlobals(),
  );
  // Without --read-only, the environment and the config file decide.
  return { settings: { db, config, dataDir, logLevel, toolsets, readOnly: isReadOnly || undefined }, ...flags };
}

/** The log of one command. */
export function logOf(flags: GlobalFlags, config: Config): Log {
  return openLog(config, { level: logLevelOf(flags, config), isJson: flags.isJsonLogs });
}

/** A person who runs one command wants its answer and not the log, so the level is `warn` unless someone has set it. */
function logLevelOf({ settings, isQuiet, isVerbose }: GlobalFlags, config: Config): LogLevel {
  if (settings.logLevel !== undefined) return config.logLevel;
  if (isVerbose) return 'debug';
  if (isQuiet) return 'error';
  return config.env.AGENT_RUNTIME_LOG_LEVEL ? config.logLevel : 'warn';
}
