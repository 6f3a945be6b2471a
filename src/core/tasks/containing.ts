import type { Value } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';

const mostWords = 8;

/**
 * SQL: whether a row has all words of a text in some of its columns, for a task its title, description or key, in any
 * order and case. `#8` is the row with that number.
 */
export function containing(text: string, columns = ['title', 'description', 'key']): Fragment {
  const all = wordsOf(text).map((word) => havingWord(word, columns));
  return {
    text: `(${all.map((one) => one.text).join(' and ') || 'true'})`,
    values: all.flatMap(({ values }) => values),
  };
}

/** The words of a search. */
export const wordsOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, mostWords);

/** SQL: whether a word is in one of these columns. */
export function havingWord(word: string, columns: readonly string[]): Fragment {
  const number = numberIn(word);
  if (number !== undefined) return { text: 'id = ?', values: [number] };
  const likes: string[] = [];
  const values: Value[] = [];
  for (const pattern of patternsFor(word)) {
    for (const column of columns) {
      likes.push(`lower(${column}) like ? escape '\\'`);
      values.push(pattern);
    }
  }
  return { text: `(${likes.join(' or ')})`, values };
}

/** The number that `#8` names. */
export function numberIn(word: string): number | undefined {
  const digits = /^#(\d{1,12})$/.exec(word)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** SQLite's `lower` covers ASCII only. Other letters are matched as given, in lower case, and in upper case. */
export function patternsFor(word: string): Set<string> {
  const variants = [word, word.toLowerCase(), word.toUpperCase()];
  return new Set(variants.map((variant) => `%${lowerAscii(variant).replaceAll(/[\\%_]/g, '\\$&')}%`));
}

const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
