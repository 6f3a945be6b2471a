// Bundles src/ into dist/: one chunk a lazily imported part, so that a start loads only what it needs.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version, homepage = '' } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

export const entryPoints = {
  main: 'src/main.ts',
  'server-keeper': 'src/server-keeper.ts',
  'agent-host': 'src/agent-host.ts',
  index: 'src/index.ts',
  'hook-thread': 'src/agents/modules/hook-thread.ts',
  'trainer-worker': 'src/agents/ml-experiment/trainer-worker.ts',
  'schema-worker': 'src/base/json-schema/schema-worker.ts',
};

/**
 * Built apart from the others: the files that they share are many and small, and to load each of them costs a runner that
 * starts a sixth of its computing.
 */
const runnerEntryPoints = { 'job-runner': 'src/job-runner.ts' };

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
    plugin.onResolve({ filter }, () => ({ path: './sqlite/lib/index.js', external: true }));
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
  const [program, runner, native, browser] = await Promise.all([
    build({ ...beside, entryPoints }),
    build({ ...beside, entryPoints: runnerEntryPoints, chunkNames: 'runner-[hash]' }),
    // It looks for its binaries in the directory above its own.
    build({
      ...bundling,
      splitting: false,
      absWorkingDir: root,
      entryPoints: [`${driverHome}/dist/index.mjs`],
      outdir: join(sqlite, 'lib'),
      metafile: true,
    }),
    build({ ...page, absWorkingDir: root, outdir: dashboard, metafile: true }),
  ]);
  for (const file of ['index.html', 'icon.svg', 'icon-mark.svg', 'manifest.webmanifest'])
    copyFileSync(join(root, 'src/dashboard', file), join(dashboard, file));
  cpSync(join(root, driverHome, 'prebuilds'), join(sqlite, 'prebuilds'), { recursive: true });
  writeFileSync(join(outdir, 'config.schema.json'), await configSchema(outdir));
  return [program, runner, native, browser].flatMap(({ metafile }) => Object.keys(metafile.inputs));
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
