import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { startGoogleServer } from '../fixtures/models/google-server.js';
import { startOllamaServer } from '../fixtures/models/ollama-server.js';
import { startOpenAiServer } from '../fixtures/models/openai-server.js';

it('the SDKs write nothing to stdout, whatever happens and however verbose they are set to be', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'llm-stdout-'));
  const servers = await Promise.all([
    startAnthropicServer(),
    startGoogleServer(),
    startOllamaServer(),
    startOpenAiServer(),
  ]);
  try {
    const program = join(directory, 'call-each.mjs');
    await bundle(fileURLToPath(new URL('../fixtures/models/call-each.ts', import.meta.url)), program);
    const env = { PATH: process.env.PATH, ANTHROPIC_LOG: 'debug', OPENAI_LOG: 'debug', NODE_DEBUG: '' };
    const child = await run([program, ...servers.map(({ url }) => url)], env);
    expect(child.stdout).toBe('');
    expect(child.stderr).not.toContain('key-of-the-child');
    // An unhandled rejection would end it with 1.
    expect(child).toMatchObject({ exitCode: 0 });
    expect(servers.map(({ requests }) => requests.length)).toEqual([7, 7, 7, 7]);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await rm(directory, { recursive: true });
  }
});

/** As the product is bundled, so that a real Node runs what a user gets. */
async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Its other form builds the names of its parts while it runs, so that no bundler finds them.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
}

function run(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece) => {
      stdout += piece;
    });
    child.stderr.on('data', (piece) => {
      stderr += piece;
    });
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
