import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { house, inside, type Ladder, page, writers } from './support/ladder.js';
import { projectRoot } from './support/paths.js';

const source = join(projectRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target ?? '');
}

const known = new Set(files);

/** The files of ours that a file imports, types included. */
function neighboursOf(file: string): string[] {
  return importsOf(file)
    .filter((target) => target.startsWith('.'))
    .map((target) => relative(source, resolve(join(source, dirname(file)), target)).replace(/\.js$/, ''))
    .flatMap((path) => [`${path}.ts`, `${path}.tsx`, path].find((candidate) => known.has(candidate)) ?? []);
}

/** The part of a path just below a folder ('' for the source itself): a room, or a file. */
function roomIn(folder: string, file: string): string | undefined {
  const path = relative(folder, file);
  return path.startsWith('..') ? undefined : path.split('/')[0];
}

/** Arrows inside a folder that do not point to a lower floor. */
function climbs(folder: string, ladder: Ladder): string[] {
  const floorOf = (room: string) => {
    const named = ladder.findIndex((floor) => floor.includes(room));
    return named >= 0 ? named : ladder.findIndex((floor) => floor.includes('*'));
  };
  return files.flatMap((file) => {
    const from = roomIn(folder, file);
    if (from === undefined) return [];
    return neighboursOf(file).flatMap((target) => {
      const to = roomIn(folder, target);
      if (to === undefined || to === from || floorOf(to) < floorOf(from)) return [];
      return [`${file} -> ${target}`];
    });
  });
}

it('every room of the house stands on a floor', () => {
  const rooms = new Set(files.map((file) => roomIn('', file) ?? ''));
  expect([...rooms].filter((room) => !house.flat().includes(room))).toEqual([page]);
});

it.each(Object.entries(inside))('every room of %s stands on a floor', (folder, ladder) => {
  const rooms = new Set(files.map((file) => roomIn(folder, file)).filter((room) => room !== undefined));
  const named = ladder.flat();
  expect([...rooms].filter((room) => !named.includes(room) && !named.includes('*'))).toEqual([]);
});

it.each([['', house] as const, ...Object.entries(inside)])('imports go down the ladder: src/%s', (folder, ladder) => {
  expect(climbs(folder, ladder).filter((arrow) => roomIn('', arrow) !== page)).toEqual([]);
});

it('the page imports nothing of the program but types of the wire', () => {
  const wrong = files
    .filter((file) => roomIn('', file) === page)
    .flatMap((file) => {
      const text = readFileSync(join(source, file), 'utf8');
      const values = [...text.matchAll(/import (?!type\b)[^;]*?from '(\.[^']+)'/g)].map(([, target]) => target ?? '');
      return values
        .filter((target) => !relative(source, resolve(join(source, dirname(file)), target)).startsWith(page))
        .map((target) => `${file} -> ${target}`);
    });
  expect(wrong).toEqual([]);
});

it('the page takes its types from what the server declares for the wire', () => {
  const foreign = files
    .filter((file) => roomIn('', file) === page)
    .flatMap((file) => neighboursOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => roomIn('', target) !== page);
  expect(foreign).not.toEqual([]);
  const wire = /^(http\/page\/|http\/event-stream\.ts$|tools\/shapes\/|tools\/call\/page\.ts$)/;
  expect(foreign.filter(({ target }) => !wire.test(target))).toEqual([]);
});

it('the page declares no field of the wire again', () => {
  const declared = files
    .filter((file) => roomIn('', file) === page)
    .flatMap((file) =>
      // A member of a type ends with a semicolon, an entry of an object with a comma.
      [...readFileSync(join(source, file), 'utf8').matchAll(/^\s*(?:readonly )?([a-z]+_[a-z_]+)\??: [^=\n]*;$/gm)].map(
        ([, field]) => `${file}: ${field}`,
      ),
    );
  expect(declared).toEqual([]);
});

it('no files import each other in a circle', () => {
  expect(circles(new Map(files.map((file) => [file, neighboursOf(file)])))).toEqual([]);
});

/** A table's writer is in its file's folder or in a folder above it. */
it('each table is written by one folder', () => {
  const statement =
    /\b(?:insert(?: or \w+)? into|update|delete from|(?:insertRow|updateRow)(?:<[^>]*>)?\(\s*\w+,\s*')\s*([a-z_]+)\b/g;
  const wrong = files
    .filter((file) => !file.startsWith('store/'))
    .flatMap((file) =>
      [...readFileSync(join(source, file), 'utf8').matchAll(statement)]
        .flatMap(([, table = '']) => (table in writers ? [table] : []))
        .filter((table) => dirname(file) !== writers[table])
        .map((table) => `${file} writes ${table}, which is ${writers[table]}'s`),
    );
  expect([...new Set(wrong)]).toEqual([]);
});

it('every table has a writer', () => {
  const texts = files
    .filter((file) => file.startsWith('store/migrations/'))
    .map((file) => readFileSync(join(source, file), 'utf8'))
    .join('\n');
  const found = (pattern: RegExp) => [...texts.matchAll(pattern)].map(([, table]) => table);
  // A table that is rebuilt has another name until it takes the place of the old one.
  const renamed = new Set(found(/alter table (\w+) rename to/g));
  const created = found(/create table (\w+)/g).filter((table) => !renamed.has(table));
  expect(new Set(Object.keys(writers))).toEqual(new Set(created));
});

/** Groups of nodes each of which reaches all others of its group (Tarjan's algorithm). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  function visit(node: string): void {
    index.set(node, index.size);
    lowest.set(node, index.get(node) ?? 0);
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (open.includes(next)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(next) ?? 0));
    }
    if (lowest.get(node) !== index.get(node)) return;
    const group = open.splice(open.indexOf(node));
    if (group.length > 1) found.push(group);
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

it('the domain starts no process, opens no connection and knows no protocol', () => {
  const banned =
    /^(node:)?(child_process|http|https|net|worker_threads)$|^@modelcontextprotocol|^commander$|^better-sqlite3|sqlite$/;
  const wrong = files
    .filter((file) => roomIn('', file) === 'core')
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => banned.test(target))
        .map((target) => `${file} -> ${target}`),
    );
  expect(wrong).toEqual([]);
});

it('only base/environment.ts reads the environment', () => {
  const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(source, file), 'utf8')));
  expect(readers).toEqual(['base/environment.ts']);
});

it('every limit of time is held by its timer', () => {
  const texts = files.filter((file) => /AbortSignal\.timeout\(/.test(readFileSync(join(source, file), 'utf8')));
  // Browsers hold it themselves.
  expect(texts.filter((file) => roomIn('', file) !== page)).toEqual([]);
});

it('nothing but the command line writes to stdout', () => {
  const writers = files.filter((file) =>
    /process\.stdout\.write|console\.(log|info|table|dir)\(/.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(writers.filter((file) => roomIn('', file) !== 'cli')).toEqual([]);
});

it('no file is longer than 400 lines', () => {
  const tests = readdirSync(join(projectRoot, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('test', file));
  const long = [...files.map((file) => join('src', file)), ...tests].filter(
    (file) => readFileSync(join(projectRoot, file), 'utf8').split('\n').length > 401,
  );
  expect(long).toEqual([]);
});
