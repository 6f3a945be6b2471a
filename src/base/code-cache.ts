import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import zlib from 'node:zlib';
import type { Environment } from './settings.js';

/** The checksum of the cached code, before it. */
const headerBytes = 4;
/** A process has compiled by then what its first requests need. */
const saveAfterMs = 2_000;
/**
 * Of as many builds, versions of Node and ways to start; the oldest go first. One build has some forty: with fewer than
 * those, its commands would take the place of each other.
 */
const mostFiles = 64;

export interface CodeCacheOptions {
  /** Where the code is kept; undefined for nowhere. */
  directory: string | undefined;
  /** Distinguishes runs that need other parts of the program: it becomes part of a file's name. */
  name: string;
  /** Whether a process that ends within two seconds has loaded what others of its name need; if not, it keeps that for a start. */
  isWholeAtExit: boolean;
}

/**
 * Runs a file of one function, which takes what a CommonJS module finds around it and an `import()`, and returns its
 * exports. What V8 has compiled of it is kept for the next process, which on Node 20 saves a third of what a start
 * computes. Node's own cache (module.enableCompileCache, from 22.1) would take ES modules too, but knows no Node 20 and
 * keeps no function that is compiled after its module has loaded.
 *
 * Nothing stale is run: the name of a cached file has the checksum of the source and its place in it, which stack traces show,
 * and V8's version and flags. One that is damaged, or cannot be written, costs the time that it would have saved.
 */
export function runCached(file: string, { directory, name, isWholeAtExit }: CodeCacheOptions): unknown {
  const source = readFileSync(file);
  const tag = v8.cachedDataVersionTag();
  const key = `${name}-${hex(zlib.crc32(source, zlib.crc32(file)))}-${hex(tag)}`;
  const path = directory && isOwn(directory) ? join(directory, key) : undefined;
  const whole = path && readCode(`${path}.bin`);
  const cachedData = whole ?? (path && readCode(`${path}.part`));
  // The build writes ASCII alone: Latin-1 needs no decoding.
  const script = new vm.Script(source.toString('latin1'), { filename: file, ...(cachedData ? { cachedData } : {}) });
  const isUsed = cachedData !== undefined && !script.cachedDataRejected;
  if (path && !(whole && isUsed)) {
    const save = (isWhole: boolean) => {
      // Flags that were set since would let no later process take it.
      if (v8.cachedDataVersionTag() !== tag || (isUsed && !isWhole)) return;
      writeCode(`${path}.${isWhole ? 'bin' : 'part'}`, script.createCachedData());
      if (isWhole) rmSync(`${path}.part`, { force: true });
    };
    saveLater(save, isWholeAtExit);
  }
  const module = { exports: {} };
  // A script of node:vm has no import() of its own on every Node; ours stands in for it (import-file.ts).
  const importModule = (url: string) => import(url);
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file), importModule);
  return module.exports;
}

/**
 * A folder in that for temporary files, which the system clears, or in NODE_COMPILE_CACHE, where Node's own cache would be.
 * Undefined where NODE_DISABLE_COMPILE_CACHE is set.
 */
export function codeCacheDirectory(env: Environment): string | undefined {
  if (env.NODE_DISABLE_COMPILE_CACHE) return undefined;
  const user = process.getuid?.() ?? userInfo().username;
  return join(env.NODE_COMPILE_CACHE || tmpdir(), `agent-runtime-code-${user}`);
}

/**
 * Whether nobody else can write there or put another directory in its place: whoever could would have code of theirs run.
 * Makes the directory if it is missing.
 */
function isOwn(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const user = process.getuid?.();
    if (user === undefined) return true;
    const [own, parent] = [lstatSync(directory), statSync(dirname(directory))];
    const isHeld = (parent.mode & 0o022) === 0 || (parent.mode & 0o1000) !== 0;
    return own.uid === user && (own.mode & 0o022) === 0 && isHeld && (parent.uid === user || parent.uid === 0);
  } catch {
    return false;
  }
}

function readCode(path: string): Buffer | undefined {
  try {
    const file = readFileSync(path);
    const code = file.subarray(headerBytes);
    return file.readUInt32LE(0) === zlib.crc32(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Once: when the process has run for a while, or ends well before. */
function saveLater(save: (isWhole: boolean) => void, isWholeAtExit: boolean): void {
  let isSaved = false;
  const once = (isWhole: boolean) => {
    if (isSaved) return;
    isSaved = true;
    try {
      save(isWhole);
    } catch {
      // A full disk or a read-only one: the next start compiles again.
    }
  };
  setTimeout(once, saveAfterMs, true).unref();
  process.once('exit', (exitCode) => {
    if (exitCode === 0) once(isWholeAtExit);
  });
}

/** Whole or not at all: others may read at the same time. */
function writeCode(path: string, code: Buffer): void {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(zlib.crc32(code));
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, Buffer.concat([header, code]), { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  removeOldest(dirname(path));
}

function removeOldest(directory: string): void {
  const paths = readdirSync(directory).map((name) => join(directory, name));
  if (paths.length <= mostFiles) return;
  const writtenAt = new Map(paths.map((path) => [path, lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  paths.sort((a, b) => (writtenAt.get(b) ?? 0) - (writtenAt.get(a) ?? 0));
  for (const path of paths.slice(mostFiles)) rmSync(path, { force: true });
}

const hex = (sum: number): string => sum.toString(16).padStart(8, '0');
