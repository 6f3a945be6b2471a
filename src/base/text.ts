/** A text of at most `most` characters. A longer one is cut and ends in `...`. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** The known words that are closest to `word` by edit distance: at most three, the closest first. */
export function nearest(word: string, known: readonly string[]): string[] {
  const wanted = word.toLowerCase().replaceAll('-', '_');
  return known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(wanted.length, candidate.length) / 3)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** The known names that a wrong one was probably meant for: the same letters, else close ones, else a word in common. */
export function similarNames(name: string, known: readonly string[]): string[] {
  const letters = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const same = known.filter((candidate) => letters(candidate) === letters(name));
  if (same.length > 0) return same;
  const near = nearest(name, known);
  return near.length > 0 ? near : sharingWord(name, known);
}

/** The known names that share a word of more than two letters with `name`: at most five. */
export function sharingWord(name: string, known: readonly string[]): string[] {
  const words = name
    .toLowerCase()
    .split(/[_\W]+/)
    .filter((word) => word.length > 2);
  return known.filter((candidate) => words.some((word) => candidate.toLowerCase().includes(word))).slice(0, 5);
}

/**
 * How many letters to add, drop, change or swap with the next (Damerau-Levenshtein, each letter edited once), by rows.
 */
function editDistance(from: string, to: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= to.length; column++) {
      const change = (above[column - 1] ?? 0) + (to[column - 1] === letter ? 0 : 1);
      const isSwapped = column > 1 && to[column - 2] === letter && to[column - 1] === from[row - 1];
      const swap = isSwapped ? (twoAbove[column - 2] ?? row) + 1 : change;
      current.push(Math.min(change, swap, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    twoAbove = above;
    above = current;
  }
  return above[to.length] ?? 0;
}

/** Whether a text is that of a pattern in which `*` stands for any. Each part is looked for once, so that no text takes long. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
