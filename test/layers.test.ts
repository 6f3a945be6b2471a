import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from './support/paths.js';

/** Each layer may import from itself and from those named; arrows point one way only. */
const layers: Record<string, readonly string[]> = {
  base: [],
  store: ['base'],
  core: ['base', 'store'],
  llm: ['base', 'store', 'core'],
  downstream: ['base', 'store', 'core'],
  agents: ['base', 'store', 'core', 'llm', 'downstream'],
  runner: ['base', 'store', 'core', 'llm', 'downstream', 'agents'],
  'runtime.ts': ['base', 'store', 'core', 'llm', 'downstream', 'agents', 'runner'],
  tools: ['base', 'store', 'core', 'llm', 'downstream', 'agents', 'runner', 'runtime.ts'],
  mcp: ['base', 'store', 'core', 'llm', 'downstream', 'agents', 'runner', 'runtime.ts', 'tools'],
  cli: ['base', 'store', 'core', 'llm', 'downstream', 'agents', 'runner', 'runtime.ts', 'tools', 'mcp'],
  'index.ts': ['base', 'store', 'core', 'llm', 'downstream', 'agents', 'runner', 'runtime.ts'],
  'job-runner.ts': ['base', 'store', 'core', 'llm', 'downstream', 'agents', 'runner', 'runtime.ts'],
  'main.ts': ['base', 'mcp', 'cli'],
};

const source = join(projectRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

function layerOf(file: string): string {
  return file.split(/[\\/]/)[0] ?? file;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target ?? '');
}

it('every file belongs to a layer', () => {
  expect(files.map(layerOf).filter((layer) => !(layer in layers))).toEqual([]);
});

it('a layer imports only from those below it', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith('.'))
      .map((target) => relative(source, resolve(join(source, dirname(file)), target)).replace(/\.js$/, '.ts'))
      .filter((target) => layerOf(target) !== layerOf(file) && !layers[layerOf(file)]?.includes(layerOf(target)))
      .map((target) => `${file} -> ${target}`),
  );
  expect(wrong).toEqual([]);
});

it('the domain starts no process, opens no connection and knows no protocol', () => {
  const banned =
    /^(node:)?(child_process|http|https|net|worker_threads)$|^@modelcontextprotocol|^commander$|^better-sqlite3/;
  const wrong = files
    .filter((file) => layerOf(file) === 'core')
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => banned.test(target))
        .map((target) => `${file} -> ${target}`),
    );
  expect(wrong).toEqual([]);
});

it('only base/config.ts reads the environment', () => {
  const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(source, file), 'utf8')));
  expect(readers).toEqual(['base/config.ts']);
});

it('nothing but the command line writes to stdout', () => {
  const writers = files.filter((file) =>
    /process\.stdout\.write|console\.(log|info|table|dir)\(/.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(writers.filter((file) => layerOf(file) !== 'cli')).toEqual([]);
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
