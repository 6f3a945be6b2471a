// Bundles src/ into dist/: the program in one file, and a chunk for each lazily imported part of what is loaded as ES modules.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version, homepage = '' } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** ES modules: the library, and what runs beside users' own modules or in threads. */
export const entryPoints = {
  'agent-host': 'src/agent-host.ts',
  index: 'src/index.ts',
  'hook-thread': 'src/agents/modules/hook-thread.ts',
  'trainer-worker': 'src/agents/ml-experiment/trainer-worker.ts',
  'schema-worker': 'src/base/json-schema/schema-worker.ts',
};

/** The files that start the program's processes (src/start.ts), all from one file of code (src/program.ts). */
const starters = ['main', 'job-runner', 'server-keeper'];

/** zod's messages in forty languages are half of the bundle's code, and none but English is ever asked for. */
const englishOnly = {
  name: 'english-only',
  setup(plugin) {
    plugin.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: join(root, 'node_modules/zod/v4/locales'),
    }));
  },
};

/**
 * The SDK's server makes a validator of JSON schemas when it is made, for the forms of its own `elicitInput`. Ours asks its
 * client by other means (src/mcp/exchange.ts), and would load and build it before every first answer.
 */
const serverWithoutAjv = {
  name: 'server-without-ajv',
  setup(plugin) {
    plugin.onResolve({ filter: /validation\/ajv-provider\.js$/ }, ({ importer }) =>
      /modelcontextprotocol\/sdk\/dist\/esm\/server\/index\.js$/.test(importer.replaceAll('\\', '/'))
        ? { path: 'none', namespace: 'without-ajv' }
        : undefined,
    );
    plugin.onLoad({ filter: /./, namespace: 'without-ajv' }, () => ({
      contents: `export class AjvJsonSchemaValidator {
        getValidator() { throw new Error('elicitInput is left out of the bundle: ask through an Exchange.'); }
      }`,
    }));
  },
};

/** The SQLite driver that the package brings along, with a binary for each platform. */
const driver = '@photostructure/sqlite';
const driverHome = `node_modules/${driver}`;

/**
 * It is copied rather than listed as a dependency: npm would run its install script, which compiles wherever the binary
 * does not load, and fails there without a compiler.
 */
const driverBeside = {
  name: 'driver-beside',
  setup(plugin) {
    const filter = new RegExp(`^${driver}$`);
    plugin.onResolve({ filter }, () => ({ path: './sqlite/lib/index.cjs', external: true }));
  },
};

export const bundling = {
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Of PostgreSQL's driver: what it asks for by name if it is there.
  external: [driver, 'pg-native', 'pg-cloudflare', 'cloudflare:sockets'],
  // Its other form builds the names of its parts while it runs, so that no bundler finds them.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  define: { __VERSION__: JSON.stringify(version), __HOMEPAGE__: JSON.stringify(homepage) },
  // CommonJS packages in the bundle call require.
  banner: { js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);" },
  legalComments: 'none',
  plugins: [englishOnly, serverWithoutAjv],
  logLevel: 'warning',
};

/**
 * Most processes need none of these packages: they stay out of the file of code that each process reads, and are loaded
 * from files of their own.
 */
const packagesApart = [
  '@anthropic-ai/sdk',
  '@anthropic-ai/sdk/lib/transform-json-schema',
  '@google/generative-ai',
  'croner',
  'entities',
  'minisearch',
  'ollama',
  'openai',
  'sucrase',
  'toml-eslint-parser',
  'ws',
  'yaml',
];
const fileApart = (name) => `apart/${name.replace('@', '').replaceAll('/', '-')}`;
const entriesApart = Object.fromEntries(packagesApart.map((name) => [fileApart(name), name]));

const apart = {
  name: 'apart',
  setup(plugin) {
    plugin.onResolve({ filter: /^[^.]/ }, ({ path }) =>
      packagesApart.includes(path) ? { path, namespace: 'apart' } : undefined,
    );
    // Between the two, because a default export is the whole of a CommonJS module to an importer that is an ES module by its file.
    plugin.onLoad({ filter: /./, namespace: 'apart' }, ({ path }) => {
      const file = JSON.stringify(`./${fileApart(path)}.cjs`);
      return { contents: `export * from ${file}; export { default } from ${file};` };
    });
    plugin.onResolve({ filter: /./, namespace: 'apart' }, ({ path }) => ({ path, external: true }));
    plugin.onLoad({ filter: /src[/\\]base[/\\]import-file\.ts$/ }, () => ({
      contents: 'export const importFile = (url) => $import(url);',
    }));
  },
};

/** CommonJS, a file each: of the program V8 can keep the compiled code so (src/base/code-cache.ts). */
const commonJs = {
  ...bundling,
  splitting: false,
  format: 'cjs',
  charset: 'ascii',
  // Whatever is not in the file is CommonJS too.
  supported: { 'dynamic-import': false },
  outExtension: { '.js': '.cjs' },
  define: { ...bundling.define, 'import.meta.url': '$url' },
  banner: { js: "const $url=require('node:url').pathToFileURL(__filename).href;" },
};

/** A function of what the file finds around it: to put that around it later would copy it at each start. */
const scoped = {
  banner: { js: `(function(exports,require,module,__filename,__dirname,$import){"use strict";${commonJs.banner.js}` },
  footer: { js: '})' },
};

/** Views of the page that are loaded together when the first of them is looked at; any other is loaded alone. */
const viewGroups = [
  ['board', 'goals', 'templates'],
  ['jobs', 'metrics', 'relays', 'schedules', 'workers'],
  ['activity', 'breakers', 'messages', 'search', 'servers', 'settings'],
];

/** Each view in a file of its own would be a tenth more to load in all: small files pack worse and share less. */
const viewsInGroups = {
  name: 'views-in-groups',
  setup(plugin) {
    plugin.onResolve({ filter: /^\.\/\w+\/\w+\.js$/ }, ({ path, kind, resolveDir }) => {
      const group = viewGroups.find((names) => names.includes(path.split('/')[1]));
      if (kind !== 'dynamic-import' || !group) return undefined;
      return { path: group.join('+'), namespace: 'views', pluginData: resolveDir };
    });
    plugin.onLoad({ filter: /./, namespace: 'views' }, ({ path, pluginData: resolveDir }) => ({
      contents: path
        .split('+')
        .map((name) => `export * from './${name}/${name}.js';`)
        .join(''),
      resolveDir,
    }));
  },
};

/** The dashboard's page: one style sheet, one script, which loads the others; no other origin. */
const page = {
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
  // A view is loaded when it is first looked at.
  splitting: true,
  plugins: [viewsInGroups],
  chunkNames: 'part-[hash]',
  entryPoints: { page: 'src/dashboard/main.tsx', 'page-style': 'src/dashboard/page.css' },
};

/** Bundles the whole program into a directory; resolves to every file that has code in it. */
export async function bundleInto(outdir) {
  const dashboard = join(outdir, 'dashboard');
  const sqlite = join(outdir, 'sqlite');
  const beside = {
    ...bundling,
    plugins: [...bundling.plugins, driverBeside],
    absWorkingDir: root,
    outdir,
    metafile: true,
  };
  const [modules, program, packages, native, browser] = await Promise.all([
    build({ ...beside, entryPoints }),
    build({ ...beside, ...commonJs, ...scoped, plugins: [...beside.plugins, apart], entryPoints: ['src/program.ts'] }),
    build({ ...beside, ...commonJs, entryPoints: entriesApart }),
    // It looks for its binaries in the directory above its own.
    build({
      ...beside,
      ...commonJs,
      entryPoints: [`${driverHome}/dist/index.mjs`],
      outdir: join(sqlite, 'lib'),
      metafile: true,
    }),
    build({ ...page, absWorkingDir: root, outdir: dashboard, metafile: true }),
    ...starters.map((entry) => buildStarter(entry, outdir)),
  ]);
  for (const file of ['index.html', 'icon.svg', 'icon-mark.svg', 'manifest.webmanifest'])
    copyFileSync(join(root, 'src/dashboard', file), join(dashboard, file));
  cpSync(join(root, driverHome, 'prebuilds'), join(sqlite, 'prebuilds'), { recursive: true });
  writeFileSync(join(outdir, 'config.schema.json'), await configSchema(outdir));
  return [modules, program, packages, native, browser].flatMap(({ metafile }) => Object.keys(metafile.inputs));
}

function buildStarter(entry, outdir) {
  return build({
    ...bundling,
    splitting: false,
    banner: { js: entry === 'main' ? '#!/usr/bin/env node' : '' },
    stdin: { contents: `import { start } from './src/start.js'; start('${entry}');`, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    outfile: join(outdir, `${entry}.js`),
  });
}

/** The JSON Schema of the config file, made from the schema that checks it. */
async function configSchema(outdir) {
  const outfile = join(outdir, 'config-schema.mjs');
  try {
    await build({ ...bundling, splitting: false, absWorkingDir: root, entryPoints: ['src/config.ts'], outfile });
    const { configFileJsonSchema } = await import(pathToFileURL(outfile).href);
    return `${JSON.stringify(configFileJsonSchema(), null, 2)}\n`;
  } finally {
    rmSync(outfile, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = join(root, 'dist');
  rmSync(outdir, { recursive: true, force: true });
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), licences(await bundleInto(outdir)));
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', join(root, '.config/types.json')], {
    stdio: 'inherit',
  });
  keepPublicTypes(join(outdir, 'types'));
}

/** The compiler declares every file that it reads; those that the entry's declarations lead to are the library's. */
export function keepPublicTypes(directory) {
  const reached = new Set();
  const waiting = [join(directory, 'index.d.ts')];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)\.js'/g);
    for (const [, target] of imports) waiting.push(`${join(dirname(file), target)}.d.ts`);
  }
  for (const name of readdirSync(directory, { recursive: true })) {
    const path = join(directory, name);
    if (name.endsWith('.d.ts') && !reached.has(path)) rmSync(path);
  }
}

/** The licence of every package that has code in the bundle. */
export function licences(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input);
    if (match) packages.add(match[1]);
  }
  return [...packages].sort().map(licenceOf).join('\n');
}

function licenceOf(name) {
  const directory = join(root, 'node_modules', name);
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
  const text = file ? readFileSync(join(directory, file), 'utf8') : keptText(manifest);
  return `${'-'.repeat(80)}\n${name} ${manifest.version}\n\n${text.trim()}\n`;
}

/** The text of a licence that the package names but does not bring. */
function keptText({ name, license, author }) {
  const kept = join(root, '.config/licences', `${license}.txt`);
  if (!existsSync(kept)) throw new Error(`${name} has no licence file: put the text of ${license} into ${kept}`);
  return readFileSync(kept, 'utf8').replace('AUTHOR', author?.name ?? author ?? `the authors of ${name}`);
}
