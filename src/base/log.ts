import { destination, pino, stdSerializers } from 'pino';
import type { LogFile } from './log-file.js';
import { toHumanLine } from './log-line.js';
import type { Redact } from './redact.js';
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

export interface LogOptions {
  /** What goes to stderr. */
  level: LogLevel;
  redact: Redact;
  /** File descriptor to write to; 2 unless a test says otherwise. */
  fd?: number;
  /** Lines for a person at a terminal in place of JSON, with colours or without. */
  human?: { hasColours: boolean } | undefined;
  file?: { level: LogLevel; to: LogFile } | undefined;
}

/** Field names whose values are credentials, whatever those look like. */
const secretFields = ['apiKey', '*.apiKey', 'token', '*.token', 'headers.authorization', '*.authorization', 'env.*'];

/**
 * Lines are written synchronously, so that none is lost when the process is told to end. Their keys are those of the
 * earlier job server: `timestamp`, `level`, `logger`, `message`, then the fields.
 */
export function createLog({ level, redact, fd = 2, human, file }: LogOptions): Log {
  const stderr = destination({ fd, sync: true });
  const numberOf = (name: LogLevel): number => pino.levels.values[name] ?? Number.POSITIVE_INFINITY;
  const [stderrLevel, fileLevel] = [numberOf(level), numberOf(file?.level ?? 'silent')];
  const split = {
    // Asks pino to leave each line's level here.
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
