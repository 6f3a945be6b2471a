import { join } from 'node:path';
import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { destination, pino, stdSerializers } from 'pino';
import { readJson } from './json.js';
import { createLogFile, type LogFile } from './log-file.js';
import { createRedactor, type Redact } from './redact.js';
import { version } from './version.js';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Record<string, unknown>;

/** One line of JSON a call, on stderr and in the day's file: stdout belongs to the protocol. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What of the settings concerns logs. */
export interface LogSettings {
  dataDir: string;
  /** What goes to stderr and to the file, unless a caller says otherwise. */
  logLevel: LogLevel;
  /** How many days the files are kept. */
  logDays: number;
  /** Values that must not be logged. */
  secrets: readonly string[];
}

export interface OpenLogOptions {
  /** What goes to stderr; the setting unless given. */
  level?: LogLevel;
  /** JSON on stderr even at a terminal. */
  isJson?: boolean;
}

/**
 * The log of this process: on stderr, and in the day's file under the data directory. The file holds what the settings
 * say, however little of it a command shows.
 */
export function openLog(
  settings: LogSettings,
  { level = settings.logLevel, isJson = false }: OpenLogOptions = {},
): Log {
  const directory = join(settings.dataDir, 'logs');
  const file = createLogFile({
    directory,
    keepDays: settings.logDays,
    onFailure: (error) => log.warn('the log file cannot be written to; logs go to stderr alone', { directory, error }),
  });
  const log = createLog({
    level,
    redact: createRedactor(settings.secrets),
    human: !isJson && isatty(2) ? { hasColours: process.stderr.hasColors() } : undefined,
    file: { level: level === 'debug' ? level : settings.logLevel, to: file },
  });
  return log;
}

export interface LogOptions {
  /** What goes to stderr. */
  level: LogLevel;
  redact: Redact;
  /** File descriptor to write to; 2 unless a test says otherwise. */
  fd?: number;
  /** Lines for a person at a terminal instead of JSON. */
  human?: { hasColours: boolean } | undefined;
  file?: { level: LogLevel; to: LogFile } | undefined;
}

/** Bytes of lines that wait for a disk or a pipe that takes none; the newest ones beyond that are dropped. */
const mostHeldBytes = 100_000;

/** Field names whose values are credentials, whatever those look like. */
const secretFields = ['apiKey', '*.apiKey', 'token', '*.token', 'headers.authorization', '*.authorization', 'env.*'];

/**
 * Lines are written synchronously, so that none is lost when the process is terminated. Their keys are those of the
 * earlier job server: `timestamp`, `level`, `logger`, `message`, then the fields.
 */
export function createLog({ level, redact, fd = 2, human, file }: LogOptions): Log {
  const stderr = destination({ fd, sync: true, maxLength: mostHeldBytes });
  // A full disk or a closed pipe costs lines and nothing else; without a listener the error would end the process.
  stderr.on('error', () => {});
  const numberOf = (name: LogLevel): number => pino.levels.values[name] ?? Number.POSITIVE_INFINITY;
  const [stderrLevel, fileLevel] = [numberOf(level), numberOf(file?.level ?? 'silent')];
  const split = {
    // Asks pino to set `lastLevel` before each line.
    [Symbol.for('pino.metadata')]: true as const,
    lastLevel: 0,
    write(line: string) {
      if (split.lastLevel >= stderrLevel) stderr.write(human ? toHumanLine(line, human.hasColours) : line);
      if (split.lastLevel >= fileLevel) file?.to.write(line);
    },
  };
  const logger = pino(
    {
      level: file && fileLevel < stderrLevel ? file.level : level,
      base: { logger: 'agent-runtime', version, pid: process.pid },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
      redact: { paths: secretFields, censor: '[redacted]' },
      hooks: { streamWrite: redact },
    },
    split,
  );
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

const colours: Record<string, Parameters<typeof styleText>[0]> = { warn: 'yellow', error: 'red', debug: 'dim' };

/** A line of the log for a person at a terminal: `12:30:01 info job_started job_id=... type=generic`. */
function toHumanLine(line: string, hasColours: boolean): string {
  const { timestamp, level, message, logger: _, pid: __, version: ___, ...fields } = readJson<LogLine>(line);
  const word = hasColours ? styleText(colours[level] ?? 'reset', level, { validateStream: false }) : level;
  const words = [message, ...Object.entries(fields).flatMap(toWords)].join(' ');
  // Control characters from others must not reach the terminal.
  return `${timestamp.slice(11, 19)} ${word} ${words.replaceAll(/[^\P{Cc}\n\t]/gu, '\u{fffd}')}\n`;
}

interface LogLine {
  timestamp: string;
  level: string;
  message: string;
  [field: string]: unknown;
}

function toWords([name, value]: [string, unknown]): string[] {
  if (value === undefined || value === null) return [];
  // An error: its stack begins with its type and message.
  if (typeof value === 'object' && 'stack' in value) return [`\n${value.stack}`];
  return [`${name}=${typeof value === 'string' && /^[^\s\p{Cc}"]+$/u.test(value) ? value : JSON.stringify(value)}`];
}
