import { build, type Metafile } from 'esbuild';
import { expect, test } from 'vitest';
import { bundling } from '../../.config/build.mjs';

const entryPoints = ['src/mcp/stdio.ts', 'src/mcp/legacy-stdio.ts'];

/** What is loaded with the entries before anything that they import later: packages by name, and our own files. */
async function loadedAtStart(): Promise<string[]> {
  const built = await build({ ...bundling, entryPoints, outdir: 'none', write: false, minify: false, metafile: true });
  const { outputs } = built.metafile as Metafile;
  const reached = new Set<string>();
  const waiting = Object.keys(outputs).filter((path) => entryPoints.includes(outputs[path]?.entryPoint ?? ''));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && !external) waiting.push(next);
    }
  }
  const inputs = [...reached].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
  return [...new Set(inputs.map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input))];
}

test('before its first answer a server loads no tools, no engine, no model provider and no validator of JSON schemas', async () => {
  const loaded = await loadedAtStart();
  expect(loaded).toEqual(expect.arrayContaining([...entryPoints, 'zod', '@modelcontextprotocol/sdk']));
  const heavy =
    /^(ajv|ajv-formats|fast-uri|pg|@anthropic-ai|openai|src\/(runtime|tools\/index|(store\/(sqlite|postgres)|runner|agents)\/.*))\b/;
  expect(loaded.filter((name) => heavy.test(name))).toEqual([]);
});
