import { join } from 'node:path';
import { isatty } from 'node:tty';
import type { Config } from './config.js';
import { createLog, type Log, type LogLevel } from './log.js';
import { createLogFile } from './log-file.js';
import { createRedactor } from './redact.js';

export interface LogWishes {
  /** What goes to stderr; the setting unless given. */
  level?: LogLevel;
  /** JSON on stderr even where a person reads it. */
  isJson?: boolean;
}

/**
 * The log of this process: on stderr, and in the day's file under the data directory, which holds what the settings say
 * however little of it a command shows.
 */
export function openLog(config: Config, { level = config.logLevel, isJson = false }: LogWishes = {}): Log {
  const directory = join(config.dataDir, 'logs');
  const file = createLogFile({
    directory,
    keepDays: config.logDays,
    onFailure: (error) => log.warn('the log file cannot be written to; logs go to stderr alone', { directory, error }),
  });
  const log = createLog({
    level,
    redact: createRedactor(config.secrets),
    human: !isJson && isatty(2) ? { hasColours: process.stderr.hasColors() } : undefined,
    file: { level: level === 'debug' ? level : config.logLevel, to: file },
  });
  return log;
}
