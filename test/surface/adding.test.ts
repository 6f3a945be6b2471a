import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/root.js';

interface Place {
  what: string;
  /** Where things of this kind stand. */
  folder: string;
  /** The file that lists them. */
  list: string;
  /** Whether a file of the folder, by its path in there and its text, is one of them. */
  isOne(path: string, text: string): boolean;
}

const isTopLevel = (path: string) => /^[\w-]+\.ts$/.test(path);

/** Where `src/README.md` says that each kind of thing is listed. */
const places: readonly Place[] = [
  {
    what: 'toolset',
    folder: 'src/tools',
    list: 'src/tools/index.ts',
    isOne: (path, text) => isTopLevel(path) && /^export const \w+Tools = \[/m.test(text),
  },
  {
    what: 'job type',
    folder: 'src/agents',
    list: 'src/agents/index.ts',
    isOne: (path, text) =>
      /^([\w-]+|[\w-]+\/index)\.ts$/.test(path) && /= defineAgent\(|\): BuiltInAgent\b|^ {4}type: '/m.test(text),
  },
  {
    what: 'model provider',
    folder: 'src/llm',
    list: 'src/llm/providers.ts',
    isOne: (_, text) => /^export const \w+: ProviderDeclaration</m.test(text),
  },
  {
    what: 'migration',
    folder: 'src/store/migrations',
    list: 'src/store/migrate.ts',
    isOne: (path) => /^\d{3}-[\w-]+(\/index)?\.ts$/.test(path),
  },
  {
    what: 'view of the page',
    folder: 'src/dashboard/views',
    list: 'src/dashboard/views/index.ts',
    isOne: (path) => /^([\w-]+)(\/\1)?\.tsx$/.test(path),
  },
  {
    what: 'search backend',
    folder: 'src/downstream/native/web-search',
    list: 'src/downstream/native/web-search.ts',
    isOne: (_, text) => /^export const \w+: SearchBackend\b/m.test(text),
  },
  {
    what: 'built-in tool',
    folder: 'src/downstream/native',
    list: 'src/downstream/native/index.ts',
    isOne: (_, text) => /^export const \w+ = defineNativeTool\(/m.test(text),
  },
];

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

it.each(places)('every $what is in $list, which src/README.md names', ({ folder, list, isOne }) => {
  const found = readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && join(folder, path) !== list)
    .filter((path) => isOne(path, read(join(folder, path))));
  expect(found).not.toEqual([]);
  const listing = read(list);
  expect(found.filter((path) => !listing.includes(`/${path.replace(/\.tsx?$/, '.js')}'`))).toEqual([]);
  expect(read('src/README.md')).toContain(`\`${list}\``);
});

it('every command is declared in a file that src/README.md names', () => {
  const declaring = readdirSync(join(projectRoot, 'src/cli'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ts$/.test(path) && basename(path) !== 'define-command.ts')
    .map((path) => join('src/cli', path))
    .filter((path) => read(path).includes('defineCommand({'));
  const readme = read('src/README.md');
  expect(declaring).toContain('src/cli/commands.ts');
  expect(declaring.filter((path) => !readme.includes(`\`${path}\``))).toEqual([]);
});
