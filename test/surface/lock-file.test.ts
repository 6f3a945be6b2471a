import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../support/root.js';
import { tempDir } from '../support/temp-dir.js';

/** Packages with an install script that nobody needs, and why each is here. */
const denied: Readonly<Record<string, string>> = {
  '@photostructure/sqlite':
    'builds from source where no binary fits; its binaries for six platforms are copied into dist',
  esbuild: 'replaces a JavaScript shim by its binary, which works as well without',
};

it('no package but those named here, which are denied it, runs a script when it is installed', () => {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }>;
  };
  const { allowScripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    allowScripts: Record<string, boolean>;
  };
  const scripted = Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript ? [path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)] : [],
  );
  expect(scripted.filter((name) => denied[name] === undefined)).toEqual([]);
  expect(scripted.filter((name) => allowScripts[name] !== false)).toEqual([]);
  expect(Object.values(allowScripts)).not.toContain(true);
});

/** Runs the audit against a registry that answers so. */
async function audit(status: number, advisories: object): Promise<{ code: number | null; text: string }> {
  const registry = createServer((request, response) => {
    request.resume();
    const name = decodeURIComponent(request.url?.slice(1) ?? '');
    // npm asks which versions of a package there are, and whether they too are affected.
    const answer = request.method === 'POST' ? advisories : packumentOf(name);
    response
      .writeHead(request.method === 'POST' ? status : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void registry.close());
  const { port } = registry.address() as AddressInfo;
  const child = spawn(process.execPath, ['.config/audit.mjs'], {
    cwd: projectRoot,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: tempDir(),
      npm_config_registry: `http://127.0.0.1:${port}/`,
      npm_config_fetch_retries: '0',
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
}

const packumentOf = (name: string) => ({
  name,
  'dist-tags': { latest: '1.0.0' },
  versions: { '1.0.0': { name, version: '1.0.0' } },
});

const advisory = (severity: string) => ({
  zod: [{ id: 1, url: 'https://example.org/1', title: 'Parses too much', severity, vulnerable_versions: '*' }],
});

it('a high advisory fails, with its package and title', async () => {
  expect(await audit(200, advisory('high'))).toEqual({
    code: 1,
    text: expect.stringMatching(/zod, high: Parses too much/),
  });
});

it('a low advisory, or none, does not fail', async () => {
  for (const advisories of [advisory('low'), {}]) {
    expect(await audit(200, advisories)).toEqual({ code: 0, text: expect.stringContaining('none of high') });
  }
});

it('a registry that gives no advisories is said in one line, and is no failure', async () => {
  const { code, text } = await audit(405, {});
  expect([code, text.trim().split('\n').length, text]).toEqual([0, 1, expect.stringContaining('not looked up')]);
});
