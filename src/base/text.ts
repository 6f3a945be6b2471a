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

/** The known names that share a word of more than two letters with `name`: at most five. */
export function sharingWord(name: string, known: readonly string[]): string[] {
  const words = name
    .toLowerCase()
    .split(/[_\W]+/)
    .filter((word) => word.length > 2);
  return known.filter((candidate) => words.some((word) => candidate.toLowerCase().includes(word))).slice(0, 5);
}

/** Levenshtein's distance, by rows: how many letters to add, drop or change. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= to.length; column++) {
      const change = (above[column - 1] ?? 0) + (to[column - 1] === letter ? 0 : 1);
      current.push(Math.min(change, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[to.length] ?? 0;
}
