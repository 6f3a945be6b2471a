// Packs dist/ as an MCP bundle, which Claude Desktop and other apps install by a double click: npm run bundle [DIRECTORY]
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Fetched when it is needed: it brings a hundred packages that nothing else here uses. */
const packer = '@anthropic-ai/mcpb@2.1.2';

const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** The manifest, from what the package and the plugin say already. */
export function manifest() {
  const { name, version, description, license, homepage, bugs, repository, keywords, engines } = read('package.json');
  const { displayName, author, userConfig } = read('.claude-plugin/plugin.json');
  const { toolsets } = userConfig;
  return {
    manifest_version: '0.4',
    name,
    display_name: displayName,
    version,
    description,
    author,
    license,
    homepage,
    documentation: homepage,
    support: bugs.url,
    repository: { type: 'git', url: repository.url.replace('git+', '') },
    icon: 'icon.png',
    keywords,
    server: {
      type: 'node',
      entry_point: 'dist/main.js',
      mcp_config: {
        command: 'node',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the app that reads the manifest fills them in.
        args: ['${__dirname}/dist/main.js', 'serve'],
        env: {
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
          AGENT_RUNTIME_TOOLSETS: '${user_config.toolsets}',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
          ANTHROPIC_API_KEY: '${user_config.anthropic_api_key}',
        },
      },
    },
    tools_generated: true,
    prompts_generated: true,
    user_config: {
      toolsets: { ...toolsets, required: false },
      anthropic_api_key: {
        type: 'string',
        title: 'Anthropic API key',
        description: 'Only for background work by Claude models.',
        sensitive: true,
        required: false,
        default: '',
      },
    },
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: engines.node } },
  };
}

/** Packs the bundle into a directory; returns its path. */
function pack(into) {
  const { name, version, type } = read('package.json');
  const staged = mkdtempSync(join(tmpdir(), 'mcpb-'));
  try {
    // The declarations of the library are for programs that import it.
    cpSync(join(root, 'dist'), join(staged, 'dist'), {
      recursive: true,
      filter: (path) => path !== join(root, 'dist/types'),
    });
    for (const file of ['README.md', 'LICENSE']) copyFileSync(join(root, file), join(staged, file));
    copyFileSync(join(root, '.claude-plugin/icon.png'), join(staged, 'icon.png'));
    writeFileSync(join(staged, 'package.json'), JSON.stringify({ name, version, type }));
    writeFileSync(join(staged, 'manifest.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
    mkdirSync(into, { recursive: true });
    const bundle = join(into, `${name}-${version}.mcpb`);
    const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
    const run = (...args) =>
      execFileSync(npx, ['-y', packer, ...args], { stdio: 'inherit', shell: process.platform === 'win32' });
    run('validate', join(staged, 'manifest.json'));
    run('pack', staged, bundle);
    return bundle;
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(pack(resolve(process.argv[2] ?? root)));
