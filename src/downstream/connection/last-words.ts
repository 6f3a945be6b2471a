import type { Redact } from '../../base/redact.js';
import { cut } from '../../base/text.js';

/** Lines that say nothing to a person: frames of a stack, the mark below a column, the version of Node. */
const noise = /^(at |\^+$|Node\.js v\d|node:internal)/;
const namesError = /^([\w.]*(Error|Exception)\b|fatal\b)/i;

/** Of what a process wrote to stderr, the lines that say why it ended; undefined if it wrote none. */
export function lastWords(stderr: string | undefined, redact: Redact): string | undefined {
  const lines = (stderr ?? '').split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => line !== '' && !noise.test(line));
  if (telling.length === 0) return undefined;
  // The details that a runtime adds come after the error's name, the source line before it.
  const errorAt = telling.findIndex((line) => namesError.test(line));
  const chosen = errorAt === -1 ? telling.slice(-3) : telling.slice(errorAt, errorAt + 3);
  return cut(redact(chosen.join(' / ')), 300);
}
