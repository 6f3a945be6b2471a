import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { inject } from 'vitest';
import { keepPublicTypes } from '../../.config/build.mjs';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';

const run = promisify(execFile);

/** A program of somebody's that has installed the package, in a folder and with a home of its own. */
export interface Consumer {
  folder: string;
  home: string;
  write(name: string, text: string): string;
  /** Runs TypeScript as an ES module; resolves to what it printed as JSON on its last line. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it by asserting it.
  run(name: string, typescript: string): Promise<any>;
  /** Compiles files strictly against the published declarations; resolves to the compiler's complaints. */
  compile(files: Record<string, string>): Promise<string>;
}

export function consumer(): Consumer {
  const folder = tempDir();
  const home = tempDir();
  const installed = join(folder, 'node_modules', 'agent-runtime-mcp');
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type": "module", "private": true}');
  copyFileSync(join(projectRoot, 'package.json'), join(installed, 'package.json'));

  return {
    folder,
    home,
    write,
    async run(name, typescript) {
      symlinkSync(inject('dist'), join(installed, 'dist'));
      const { code } = await transform(typescript, { loader: 'ts', format: 'esm', target: 'node20' });
      const env = { HOME: home, PATH: '/usr/bin:/bin' };
      const { stdout } = await run(process.execPath, [write(name, code)], { cwd: folder, env });
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    },
    async compile(files) {
      const types = join(installed, 'dist', 'types');
      const compiler = join(projectRoot, 'node_modules', '.bin', 'tsc');
      await run(compiler, ['--project', join(projectRoot, '.config', 'types.json'), '--outDir', types]);
      keepPublicTypes(types);
      for (const name of ['zod', '@types', 'undici-types']) {
        symlinkSync(join(projectRoot, 'node_modules', name), join(folder, 'node_modules', name));
      }
      for (const [name, text] of Object.entries(files)) write(name, text);
      // Declarations are checked too (skipLibCheck is off), so that one which leads nowhere is a complaint.
      const flags = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
      const target = ['--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
      try {
        await run(compiler, [...flags, ...target, ...Object.keys(files)], { cwd: folder });
        return '';
      } catch (error) {
        return String((error as { stdout?: string }).stdout);
      }
    },
  };
}

/** The code of a section of a README, block by block. */
export function readmeBlocks(file: string, heading: string, language: string): string[] {
  const readme = readFileSync(join(projectRoot, file), 'utf8');
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, found, text]) =>
    found === language && text !== undefined ? [text] : [],
  );
}
