/** Replaces the characters from `start` to `end` by a text. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/**
 * Makes several changes, all of them given by offsets of the text before. They must not overlap. Of two insertions at one
 * place, the first given comes first.
 */
export function splice(text: string, ...changes: readonly Splice[]): string {
  return changes
    .toReversed()
    .sort((one, other) => other.start - one.start)
    .reduce((after, { start, end, text: inserted }) => after.slice(0, start) + inserted + after.slice(end), text);
}

export function insertion(at: number, text: string): Splice {
  return { start: at, end: at, text };
}

export function removal(start: number, end: number): Splice {
  return { start, end, text: '' };
}

export function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** Where the line of an offset begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where the next line begins, or the end of the text. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** The spaces and tabs with which the line of an offset begins. */
export function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? '';
}
