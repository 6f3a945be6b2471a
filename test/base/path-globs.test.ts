import fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { globCovers, globsOverlap } from '../../src/base/path-globs.js';

test.each([
  ['src/a.ts', 'src/a.ts', true],
  ['src/a.ts', 'src/b.ts', false],
  ['src/*.ts', 'src/a.*', true],
  ['src/*.ts', 'src/*.js', false],
  ['src/*.ts', 'src/core/*.ts', false],
  ['src/**', 'src/core/*.ts', true],
  ['src/**/*.ts', '**/core/**', true],
  ['src/**/*.ts', 'docs/**', false],
  ['**', 'a', true],
  ['**/x', 'x', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b/**/c', 'a/b/d?', false],
  ['a?c', 'ab*', true],
  ['a?', 'a', false],
  ['a*b*c', '*bd', false],
  ['a*b*c', '*b?c', true],
  // A plain name is the folder too, as git has it in its ignore files.
  ['src/core', 'src/core/tasks/a.ts', true],
  ['src/core', 'src/core-old/a.ts', false],
  // Brackets are part of a name.
  ['app/[id]/page.tsx', 'app/i/page.tsx', false],
  ['app/[id]/page.tsx', 'app/*/page.tsx', true],
])('%s and %s have a path in common: %s', (left, right, expected) => {
  expect([globsOverlap(left, right), globsOverlap(right, left)]).toEqual([expected, expected]);
});

const letter = fc.constantFrom('a', 'b');
const wildName = fc
  .array(fc.constantFrom('a', 'b', '*', '?'), { minLength: 1, maxLength: 4 })
  .map((all) => all.join(''));
const isGlobstar = (name: string) => /\*\*/.test(name);
const name = fc.oneof(
  wildName.filter((text) => !isGlobstar(text)),
  fc.constant('**'),
);
const glob = fc.array(name, { minLength: 1, maxLength: 4 }).map((all) => all.join('/'));
const path = fc
  .array(
    fc.array(letter, { minLength: 1, maxLength: 3 }).map((all) => all.join('')),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) => all.join('/'));

/** Whether picomatch says so. Here a plain name at the end is its folder as well, and `x/**` is `x` too. */
function matcherOf(glob: string): (path: string) => boolean {
  const isPlain = !/[*?]/.test(glob.split('/').at(-1) ?? '');
  const globs = isPlain ? [glob, `${glob}/**`] : [glob];
  for (let shorter = glob; shorter.endsWith('/**'); ) {
    shorter = shorter.slice(0, -3);
    globs.push(shorter);
  }
  return picomatch(globs, { dot: true });
}

const says = (glob: string, path: string): boolean => matcherOf(glob)(path);

test('a glob covers the paths that picomatch says it does', () => {
  fc.assert(
    fc.property(glob, path, (one, file) => {
      expect(globCovers(one, file)).toBe(says(one, file));
    }),
    { numRuns: 3_000 },
  );
});

test('two globs that cover one path overlap: no overlap is missed', () => {
  fc.assert(
    fc.property(glob, glob, path, (left, right, file) => {
      fc.pre(says(left, file) && says(right, file));
      expect(globsOverlap(left, right)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('two globs of a name that overlap cover a common name: no overlap is made up', () => {
  const names = [1, 2, 3, 4].flatMap((length) =>
    Array.from({ length: 2 ** length }, (_, bits) => bits.toString(2).padStart(length, '0')),
  );
  const globs = ['0', '1', '?', '*', '0*', '*1', '?1', '1?', '01', '*0?', '?*1'].map((text) => `x/${text}`);
  const covered = new Map(globs.map((text) => [text, new Set(names.filter((file) => says(text, `x/${file}`)))]));
  for (const [left, some] of covered) {
    for (const [right, others] of covered) {
      expect(globsOverlap(left, right), `${left} ${right}`).toBe([...some].some((file) => others.has(file)));
    }
  }
});

test('globs that could be matched in very many ways are compared at once', () => {
  expect(globsOverlap(Array(40).fill('**').join('/'), `${Array(40).fill('**').join('/')}/x`)).toBe(true);
  expect(globsOverlap('*a'.repeat(100), `${'*b'.repeat(100)}`)).toBe(false);
});
