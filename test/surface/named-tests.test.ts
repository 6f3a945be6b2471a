import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/root.js';

/** A test as a table names it: `FILE` below test/, and how its title begins. */
interface NamedTest {
  file: string;
  title: string;
}

function namedIn(table: string): NamedTest[] {
  const text = readFileSync(join(projectRoot, table), 'utf8');
  const cells = text
    .split('\n')
    .flatMap((line) => (line.startsWith('|') ? (line.split('|').at(-2) ?? '').split('<br>') : []));
  return cells.flatMap((cell) => {
    const [, file, title] = /^\s*`([\w/-]+)` (.+?)\s*$/.exec(cell) ?? [];
    return file === undefined || title === undefined ? [] : [{ file, title }];
  });
}

it.each([
  ['test/faults/README.md', 50],
  ['SECURITY.md', 30],
])('every test that %s names is there', (table, least) => {
  const named = namedIn(table);
  expect(named.length).toBeGreaterThanOrEqual(least);
  const missing = named.filter(({ file, title }) => {
    const path = join(projectRoot, 'test', `${file}.test.ts`);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });
  expect(missing).toEqual([]);
});

it('no row of a table of tests is without one', () => {
  for (const table of ['test/faults/README.md', 'SECURITY.md']) {
    const lines = readFileSync(join(projectRoot, table), 'utf8').split('\n');
    const rows = lines.filter((line) => line.startsWith('|') && !/^\|(-+\|)+$/.test(line));
    expect(rows.slice(1).filter((row) => !/`[\w/-]+` \S/.test(row.split('|').at(-2) ?? ''))).toEqual([]);
  }
});
