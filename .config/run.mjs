// Runs a TypeScript file of this project: node .config/run.mjs FILE [arguments]
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundling } from './build.mjs';

const [file, ...rest] = process.argv.slice(2);
const outdir = join(process.cwd(), 'node_modules', '.cache', `run-${process.pid}`);
try {
  // Its ES module form names its files without their endings, which Node alone does not find.
  const alias = { 'jsonc-parser': join(process.cwd(), 'node_modules/jsonc-parser/lib/esm/main.js') };
  await build({ ...bundling, alias, entryPoints: { entry: file }, outdir, minify: false, packages: 'external' });
  process.argv = [process.argv[0], file, ...rest];
  await import(pathToFileURL(join(outdir, 'entry.js')).href);
} finally {
  rmSync(outdir, { recursive: true, force: true });
}
