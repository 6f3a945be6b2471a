/*
 * Globs of paths with slashes: `*` is any part of one name, `?` one character of it, `**` any number of folders. All else
 * stands for itself, also brackets, which are common in names of files. A glob that ends in a plain name is that file, or
 * that folder with all in it.
 */

type Letter = string | typeof one | typeof some;
type Name = readonly Letter[] | typeof folders;

const one = Symbol('one character');
const some = Symbol('any characters');
const folders = Symbol('any folders');

/** Whether some path matches both globs. It is exact, as far as names may have any characters. */
export const globsOverlap = (left: string, right: string): boolean => meet(namesOf(left), namesOf(right));

/** Whether a path matches a glob. */
export const globCovers = (glob: string, path: string): boolean =>
  meet(namesOf(glob), fold(path).split('/').map(lettersOf));

/** Whether a name of a glob stands for others too. */
export const isWild = (name: string): boolean => /[*?]/.test(name);

/** On these systems two names that differ in case alone are usually one file. */
const fold = (text: string): string =>
  process.platform === 'win32' || process.platform === 'darwin' ? text.toLowerCase() : text;

function namesOf(glob: string): Name[] {
  const texts = fold(glob).split('/');
  const names = texts.map((text): Name => (text === '**' ? folders : lettersOf(text).map(toLetter)));
  return isWild(texts.at(-1) ?? '') ? names : [...names, folders];
}

const lettersOf = (text: string): string[] => [...text];
const toLetter = (letter: string): Letter => (letter === '*' ? some : letter === '?' ? one : letter);

/** Whether two lists of names have a path in common. */
function meet(left: readonly Name[], right: readonly Name[]): boolean {
  return align(left.length, right.length, (row, column, from) => {
    const a = left[row];
    const b = right[column];
    if (a === undefined && b === undefined) return true;
    // Any folders: none of them, or one more name of the other side.
    if (a === folders) return from(row + 1, column) || (b !== undefined && from(row, column + 1));
    if (b === folders) return from(row, column + 1) || (a !== undefined && from(row + 1, column));
    return a !== undefined && b !== undefined && haveName(a, b) && from(row + 1, column + 1);
  });
}

/** Whether two patterns of a name have a name in common. A name has one character at least. */
function haveName(left: readonly Letter[], right: readonly Letter[]): boolean {
  return align(left.length, right.length, (row, column, from) => {
    const a = left[row];
    const b = right[column];
    if (a === undefined && b === undefined) return true;
    if (a === some) return from(row + 1, column) || (b !== undefined && from(row, column + 1));
    if (b === some) return from(row, column + 1) || (a !== undefined && from(row + 1, column));
    return a !== undefined && b !== undefined && (a === b || a === one || b === one) && from(row + 1, column + 1);
  });
}

/** Decides by places in two lists, each pair of places once. */
function align(
  rows: number,
  columns: number,
  decide: (row: number, column: number, from: (row: number, column: number) => boolean) => boolean,
): boolean {
  const known = new Map<number, boolean>();
  const from = (row: number, column: number): boolean => {
    if (row > rows || column > columns) return false;
    const place = row * (columns + 1) + column;
    let answer = known.get(place);
    if (answer === undefined) {
      answer = decide(row, column, from);
      known.set(place, answer);
    }
    return answer;
  };
  return from(0, 0);
}
