import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { codeCacheDirectory } from '../../src/base/code-cache.js';
import { makeTempDir, tempDir } from '../support/temp-dir.js';

const starter = join(makeTempDir(), 'starter.mjs');

beforeAll(async () => {
  const contents = `
    import { runCached } from './src/base/code-cache.js';
    const [file, directory, mode = ''] = process.argv.slice(2);
    const program = runCached(file, { directory, name: 'test', isWholeAtExit: !mode.startsWith('serve') });
    console.log(program.say());
    if (mode === 'serve-on') await new Promise((resolve) => setTimeout(resolve, 2_100));
    if (mode.startsWith('--')) (await import('node:v8')).setFlagsFromString(mode);`;
  const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const;
  await build({ stdin, bundle: true, platform: 'node', format: 'esm', outfile: starter });
});

interface Place {
  file: string;
  cache: string;
  /** What the program prints, run by a process of its own. */
  run(...args: string[]): string;
  /** The only cached file. */
  cached(): string;
}

function makePlace(): Place {
  const home = tempDir();
  const file = join(home, 'program.cjs');
  const cache = join(home, 'cache');
  writeFileSync(file, "(function(exports) { exports.say = () => 'one'; })");
  return {
    file,
    cache,
    run: (...args) => execFileSync(process.execPath, [starter, file, cache, ...args], { encoding: 'utf8' }).trim(),
    cached() {
      const [name = '', ...others] = readdirSync(cache);
      expect(others).toEqual([]);
      return join(cache, name);
    },
  };
}

it('the second process takes what the first has compiled, and writes nothing', () => {
  const { run, cached } = makePlace();
  expect(run()).toBe('one');
  const first = statSync(cached()).ino;
  expect(run()).toBe('one');
  expect(statSync(cached()).ino).toBe(first);
});

it('a server that ends at once keeps what its start needed, until one that lives longer keeps the whole', () => {
  const { cache, run } = makePlace();
  const kept = () => readdirSync(cache).map((name) => name.replace(/.*\./, ''));
  run('serve');
  expect(kept()).toEqual(['part']);
  run('serve-on');
  expect(kept()).toEqual(['bin']);
  run('serve');
  expect(kept()).toEqual(['bin']);
});

it('a program that was changed is compiled anew, also if it is as long as before', () => {
  const { file, cache, run } = makePlace();
  run();
  writeFileSync(file, "(function(exports) { exports.say = () => 'two'; })");
  expect(run()).toBe('two');
  expect(readdirSync(cache)).toHaveLength(2);
});

it('a program at another place is compiled anew, and its stack traces name that place', () => {
  const { file, cache } = makePlace();
  const copy = join(tempDir(), 'program.cjs');
  for (const path of [file, copy]) {
    writeFileSync(path, "(function(exports) { exports.say = () => new Error().stack.split('\\n')[1]; })");
    const said = execFileSync(process.execPath, [starter, path, cache], { encoding: 'utf8' });
    expect(said).toContain(path);
  }
});

it.each([
  ['a flipped bit', (code: Buffer) => Buffer.concat([code.subarray(0, -1), Buffer.from([~(code.at(-1) ?? 0)])])],
  ['a half', (code: Buffer) => code.subarray(0, code.length / 2)],
  ['nothing', () => Buffer.alloc(0)],
])('a cached file of which %s is left is not used, and is written again', (_, damage) => {
  const { run, cached } = makePlace();
  run();
  const whole = readFileSync(cached());
  writeFileSync(cached(), damage(whole));
  expect(run()).toBe('one');
  expect(readFileSync(cached()).length).toBe(whole.length);
});

it('where the cache cannot be, the program runs without', () => {
  const { cache, run } = makePlace();
  writeFileSync(cache, '');
  expect(run()).toBe('one');
});

it.skipIf(process.platform === 'win32')('a directory that others may write to is left alone', () => {
  const { cache, run } = makePlace();
  mkdirSync(cache);
  chmodSync(cache, 0o777);
  expect(run()).toBe('one');
  expect(readdirSync(cache)).toEqual([]);
});

it('what a process compiled is not kept if it has set flags since: no other would take it', () => {
  const { cache, run } = makePlace();
  expect(run('--semi-space-growth-factor=1')).toBe('one');
  expect(readdirSync(cache)).toEqual([]);
});

it('of 64 cached files and a new one, the oldest goes', () => {
  const { cache, run } = makePlace();
  mkdirSync(cache, { mode: 0o700 });
  for (let index = 0; index < 64; index++) {
    writeFileSync(join(cache, `old-${index}.bin`), '');
    utimesSync(join(cache, `old-${index}.bin`), 1_000 - index, 1_000 - index);
  }
  run();
  const left = readdirSync(cache);
  expect(left).toHaveLength(64);
  expect(left).not.toContain('old-63.bin');
});

it("the cache is a directory of this user's among temporary files, or where Node's own is; nowhere if that is turned off", () => {
  const name = `agent-runtime-code-${process.getuid?.()}`;
  expect(codeCacheDirectory({ NODE_DISABLE_COMPILE_CACHE: '1' })).toBeUndefined();
  expect(codeCacheDirectory({ NODE_COMPILE_CACHE: '/of/mine' })).toBe(`/of/mine/${name}`);
  expect(codeCacheDirectory({})).toBe(join(tmpdir(), name));
});

it.skipIf(process.platform === 'win32')(
  'a directory that others can put another one in the place of is left alone',
  () => {
    const { cache, run } = makePlace();
    mkdirSync(cache, { mode: 0o700 });
    chmodSync(dirname(cache), 0o777);
    expect(run()).toBe('one');
    expect(readdirSync(cache)).toEqual([]);
    // The sticky bit lets only the owner of an entry rename it, as in /tmp.
    chmodSync(dirname(cache), 0o1777);
    expect(run()).toBe('one');
    expect(readdirSync(cache)).toHaveLength(1);
  },
);
