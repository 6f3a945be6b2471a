import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The stack of an error as the author of an agent reads it, with what caused it: paths instead of addresses, and without
 * the frames of Node and of this program that called the agent. Undefined for what is no error.
 */
export function ownStack(error: unknown): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined;
  const lines = error.stack.split('\n');
  while (lines.length > 1 && isForeign(lines.at(-1) ?? '')) lines.pop();
  const cause = ownStack(error.cause);
  return lines.map(withPath).join('\n') + (cause === undefined ? '' : `\ncaused by ${cause}`);
}

/** The place in the user's own files at which an error was thrown, as `path:line:column`. */
export function ownPlace(error: unknown): string | undefined {
  const frames =
    ownStack(error)
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line) && !isForeign(line)) ?? [];
  const [, place] = /\(?([^\s()]+:\d+:\d+)\)?$/.exec(frames[0] ?? '') ?? [];
  return place;
}

const program = dirname(fileURLToPath(import.meta.url));

/** A frame of Node itself, of a package or of this program. */
function isForeign(line: string): boolean {
  if (!/^\s+at /.test(line)) return false;
  return /\(?node:|\/node_modules\/|<anonymous>\)?$/.test(line) || withPath(line).includes(`${program}/`);
}

function withPath(line: string): string {
  return line.replace(/file:\/\/[^\s()]+?(?=:\d+:\d+\)?$)/, (url) => fileURLToPath(url));
}
