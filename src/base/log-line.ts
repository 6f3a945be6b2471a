import { styleText } from 'node:util';
import { readJson } from './json.js';

const colours: Record<string, Parameters<typeof styleText>[0]> = { warn: 'yellow', error: 'red', debug: 'dim' };

/** A line of the log as a person at a terminal reads it: `12:30:01 info job_started job_id=... type=generic`. */
export function toHumanLine(line: string, hasColours: boolean): string {
  const { timestamp, level, message, logger: _, pid: __, version: ___, ...fields } = readJson<LogLine>(line);
  const word = hasColours ? styleText(colours[level] ?? 'reset', level, { validateStream: false }) : level;
  const words = [message, ...Object.entries(fields).flatMap(toWords)].join(' ');
  // What others wrote must not steer the terminal.
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
  // An error, as its stack begins with its type and message.
  if (typeof value === 'object' && 'stack' in value) return [`\n${value.stack}`];
  return [`${name}=${typeof value === 'string' && /^[^\s\p{Cc}"]+$/u.test(value) ? value : JSON.stringify(value)}`];
}
