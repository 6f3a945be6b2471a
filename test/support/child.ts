import { type ChildProcess, spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { bundling } from '../../.config/build.mjs';
import { projectRoot } from './paths.js';

const built = new Map<string, Promise<string>>();

/** Bundles a TypeScript program of the tests, so that it can run as a process of its own; resolves to its path. */
export function buildChild(source: string): Promise<string> {
  const known = built.get(source) ?? bundleChild(source);
  built.set(source, known);
  return known;
}

async function bundleChild(source: string): Promise<string> {
  const name = basename(source, '.ts');
  const outdir = join(projectRoot, 'node_modules', '.cache', 'test-children', `${name}-${process.pid}`);
  await build({ ...bundling, entryPoints: { [name]: source }, outdir, minify: false });
  return join(outdir, `${name}.js`);
}

export interface Child {
  process: ChildProcess;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/** Starts a built program, on this Node unless another is given; it is killed after the test if it is still there. */
export function startChild(
  path: string,
  args: readonly string[],
  env: Record<string, string> = {},
  node = process.execPath,
): Child {
  const child = spawn(node, [path, ...args], {
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<Awaited<Child['ended']>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, ended };
}
