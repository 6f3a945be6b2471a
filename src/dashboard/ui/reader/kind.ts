import { hasEscapes } from './ansi.js';

/** How a text is best read. */
export type Kind = 'markdown' | 'console' | 'json' | 'patch' | 'plain';

/** A longer text is not formatted before one asks. */
export const longestFormatted = 200_000;

const traces = [
  /^Traceback \(most recent call last\):/m,
  /^\s+at .{1,300}[(:]\d+(:\d+)?\)?$/m,
  /^\s+File ".{1,300}", line \d+/m,
];

/** What a text looks like; one that might be anything is `otherwise`. */
export function kindOf(text: string, otherwise: Kind): Kind {
  if (hasEscapes(text)) return 'console';
  if (/^\s*[[{]/.test(text.slice(0, 100)) && parsed(text) !== undefined) return 'json';
  const beginning = text.slice(0, 5_000);
  if (otherwise === 'markdown' && traces.some((trace) => trace.test(beginning)) && !beginning.includes('```'))
    return 'console';
  return otherwise;
}

/** Objects and lists written as JSON; anything else is no JSON to a reader. */
export function parsed(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text.slice(0, 100)) || text.length > 8_000_000) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
