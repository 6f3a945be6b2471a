import { type Command, Option } from 'commander';
import type { Config, Flags } from '../base/config.js';
import { type Log, type LogLevel, logLevels, openLog } from '../base/log.js';

/** The flags that every command takes, before or after its name. */
export interface GlobalFlags {
  /** Those that stand for settings. */
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

export function addGlobalFlags(program: Command): void {
  program
    .option('--db <file>', 'the database file (AGENT_RUNTIME_DB_PATH)')
    .option('--config <file>', 'the config file (AGENT_RUNTIME_CONFIG)')
    .option('--data-dir <dir>', 'backups, logs and artifacts (AGENT_RUNTIME_DATA_DIR)')
    .addOption(new Option('--log-level <level>', 'what goes to the log on stderr').choices(logLevels))
    .option('--toolsets <names>', 'tools to offer: all, core, or names with commas between')
    .option('--read-only', 'offer only tools that change nothing')
    .option('--json', 'print one JSON document')
    .option('-q, --quiet', 'print nothing but the answer and failures')
    .option('-v, --verbose', 'log everything, and show the stack of a failure')
    .option('--json-logs', 'log as JSON lines, also on a terminal');
}

export function globalFlagsOf(command: Command): GlobalFlags {
  const { db, config, dataDir, logLevel, toolsets, readOnly, json, quiet, verbose, jsonLogs } =
    command.optsWithGlobals<GlobalOptions>();
  return {
    settings: { db, config, dataDir, logLevel, toolsets, readOnly },
    isJson: json === true,
    isQuiet: quiet === true,
    isVerbose: verbose === true,
    isJsonLogs: jsonLogs === true,
  };
}

/** The log of one command. */
export function logOf(flags: GlobalFlags, config: Config): Log {
  return openLog(config, { level: logLevelOf(flags, config), isJson: flags.isJsonLogs });
}

/** A person who runs one command wants its answer, not the log of how it came about. */
function logLevelOf({ settings, isQuiet, isVerbose }: GlobalFlags, config: Config): LogLevel {
  if (settings.logLevel !== undefined) return config.logLevel;
  if (isVerbose) return 'debug';
  if (isQuiet) return 'error';
  return config.env.AGENT_RUNTIME_LOG_LEVEL ? config.logLevel : 'warn';
}

interface GlobalOptions extends Flags {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  jsonLogs?: boolean;
}
