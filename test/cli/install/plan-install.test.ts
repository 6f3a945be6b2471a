import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ClientId, clientIds } from '../../../src/cli/install/clients.js';
import { loadFormat } from '../../../src/cli/install/formats/load-format.js';
import {
  type InstallRequest,
  planInstall,
  readVariables,
  settingsFromFlags,
  showPlan,
} from '../../../src/cli/install/plan-install.js';
import { claudeAddLine, shellWord } from '../../../src/cli/launch.js';
import { tempDir } from '../../support/temp-dir.js';

const unix = { home: '/home/ann', env: {}, project: '/src/app' };
const places = {
  linux: { platform: 'linux', ...unix },
  darwin: { platform: 'darwin', home: '/Users/ann', env: {}, project: '/src/app' },
  win32: {
    platform: 'win32',
    home: 'C:\\Users\\ann',
    env: { APPDATA: 'C:\\Users\\ann\\AppData\\Roaming' },
    project: 'C:\\src\\app',
  },
} as const;

function plan(client: ClientId, platform: keyof typeof places, more: Partial<InstallRequest> = {}) {
  const direct = { nodePath: '/opt/node/bin/node', mainPath: '/opt/lib/agent-runtime-mcp/dist/main.js' };
  return planInstall({ client, place: places[platform], env: {}, ...direct, ...more });
}

it.each([
  ['claude-code', 'linux', '/src/app/.mcp.json'],
  ['claude-code', 'darwin', '/src/app/.mcp.json'],
  ['claude-code', 'win32', 'C:\\src\\app\\.mcp.json'],
  ['claude-desktop', 'linux', '/home/ann/.config/Claude/claude_desktop_config.json'],
  ['claude-desktop', 'darwin', '/Users/ann/Library/Application Support/Claude/claude_desktop_config.json'],
  ['claude-desktop', 'win32', 'C:\\Users\\ann\\AppData\\Roaming\\Claude\\claude_desktop_config.json'],
  ['cursor', 'linux', '/home/ann/.cursor/mcp.json'],
  ['cursor', 'darwin', '/Users/ann/.cursor/mcp.json'],
  ['cursor', 'win32', 'C:\\Users\\ann\\.cursor\\mcp.json'],
  ['vscode', 'linux', '/src/app/.vscode/mcp.json'],
  ['vscode', 'darwin', '/src/app/.vscode/mcp.json'],
  ['vscode', 'win32', 'C:\\src\\app\\.vscode\\mcp.json'],
  ['codex', 'linux', '/home/ann/.codex/config.toml'],
  ['gemini-cli', 'darwin', '/Users/ann/.gemini/settings.json'],
  ['opencode', 'linux', '/home/ann/.config/opencode/opencode.json'],
  ['copilot-cli', 'win32', 'C:\\Users\\ann\\.copilot\\mcp-config.json'],
  ['windsurf', 'linux', '/home/ann/.codeium/windsurf/mcp_config.json'],
  ['zed', 'darwin', '/Users/ann/.config/zed/settings.json'],
  ['goose', 'linux', '/home/ann/.config/goose/config.yaml'],
  [
    'cline',
    'darwin',
    '/Users/ann/Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
  ],
  ['cline-cli', 'linux', '/home/ann/.cline/data/settings/cline_mcp_settings.json'],
  ['junie', 'linux', '/home/ann/.junie/mcp/mcp.json'],
  ['kiro', 'linux', '/home/ann/.kiro/settings/mcp.json'],
  ['amp', 'linux', '/home/ann/.config/amp/settings.json'],
  ['grok', 'linux', '/home/ann/.grok/config.toml'],
  ['kilo-code', 'linux', '/home/ann/.config/kilo/kilo.json'],
  ['kimi-code', 'linux', '/home/ann/.kimi-code/mcp.json'],
  ['antigravity', 'linux', '/home/ann/.gemini/config/mcp_config.json'],
  ['lm-studio', 'darwin', '/Users/ann/.lmstudio/mcp.json'],
  ['mastracode', 'linux', '/home/ann/.mastracode/mcp.json'],
  ['mcporter', 'linux', '/home/ann/.mcporter/mcporter.json'],
  ['pi', 'linux', '/home/ann/.pi/agent/mcp.json'],
] as const)('knows the file of %s on %s', (client, platform, file) => {
  expect(plan(client, platform).file).toBe(file);
});

it('uses the directories that the environment names', () => {
  const moved = { ...places.linux, env: { XDG_CONFIG_HOME: '/xdg' } };
  expect(plan('claude-desktop', 'linux', { place: moved }).file).toBe('/xdg/Claude/claude_desktop_config.json');
  const bare = { ...places.win32, env: {} };
  expect(plan('claude-desktop', 'win32', { place: bare }).file).toBe(
    'C:\\Users\\ann\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
  );
  const codex = { ...places.linux, env: { CODEX_HOME: '/elsewhere' } };
  expect(plan('codex', 'linux', { place: codex }).file).toBe('/elsewhere/config.toml');
});

it('takes the file of a scope, and says which scopes there are', () => {
  expect(plan('vscode', 'linux', { scope: 'user' }).file).toBe('/home/ann/.config/Code/User/mcp.json');
  expect(plan('cursor', 'linux', { scope: 'project' }).file).toBe('/src/app/.cursor/mcp.json');
  expect(() => plan('windsurf', 'linux', { scope: 'project' })).toThrow('Windsurf has no project scope');
  expect(() => plan('codex', 'linux', { scope: 'local' })).toThrow('Codex has no local scope');
});

it('takes of several files the one that is there', () => {
  const home = tempDir();
  mkdirSync(join(home, '.config/opencode'), { recursive: true });
  writeFileSync(join(home, '.config/opencode/opencode.jsonc'), '{}');
  const place = { ...places.linux, home };
  expect(plan('opencode', 'linux', { place }).file).toBe(join(home, '.config/opencode/opencode.jsonc'));
});

/** The command line of an entry in any client's form. */
const commandLine = (entry: Readonly<Record<string, unknown>>) =>
  [entry.command, entry.cmd, entry.args].flat().filter((word) => word !== undefined);

it.each(clientIds)('starts the server for %s by npx, on Windows through a shell', (client) => {
  const line = ['npx', '-y', 'agent-runtime-mcp'];
  expect(commandLine(plan(client, 'darwin').entry)).toEqual(line);
  expect(commandLine(plan(client, 'win32').entry)).toEqual(['cmd', '/c', ...line]);
});

it.each([
  ['claude-code', { env: { KEY: `\${KEY}` } }],
  ['cursor', { env: { KEY: `\${env:KEY}` } }],
  ['vscode', { env: { KEY: `\${input:key}` } }],
  ['codex', { env_vars: ['KEY'] }],
  ['gemini-cli', { env: { KEY: '$KEY' } }],
  ['opencode', { environment: { KEY: '{env:KEY}' } }],
  ['copilot-cli', { env: { KEY: `\${KEY}` } }],
] as const)('has %s pass a variable on, so that its value is in no file', (client, fields) => {
  expect(plan(client, 'linux', { passedEnv: ['KEY'] }).entry).toMatchObject(fields);
});

it('has VS Code ask for a key, and hide it', () => {
  const { listItems } = plan('vscode', 'linux', { passedEnv: ['ANTHROPIC_API_KEY'] });
  expect(listItems).toEqual({
    path: ['inputs'],
    items: [{ type: 'promptString', id: 'anthropic-api-key', description: 'ANTHROPIC_API_KEY', password: true }],
  });
});

it('says that a client cannot pass a variable on', () => {
  expect(() => plan('claude-desktop', 'linux', { passedEnv: ['KEY'] })).toThrow('Claude Desktop cannot pass KEY on');
  expect(plan('goose', 'linux', { env: { KEY: 'v' } }).entry).toMatchObject({ envs: { KEY: 'v' } });
});

it('names the command that does what is shown, with its variables', () => {
  const more = { scope: 'project', env: { A: 'x y' }, passedEnv: ['KEY'] } as const;
  expect(plan('cursor', 'linux', { ...more, env: { ...more.env } }).command).toBe(
    "agent-runtime install --client cursor --scope project --env 'A=x y' --env KEY --write",
  );
});

it('reads variables, and refuses what is no name', () => {
  expect(readVariables(['A=1', 'B', 'C=x=y', 'D='])).toEqual({ env: { A: '1', C: 'x=y', D: '' }, passedEnv: ['B'] });
  expect(() => readVariables(['1A=secret'])).toThrow('"1A" is not the name of a variable');
});

it('writes full paths for desktop apps, except from the npx cache, where no path lasts', () => {
  const direct = { command: '/opt/node/bin/node', args: ['/opt/lib/agent-runtime-mcp/dist/main.js'] };
  for (const client of ['claude-desktop', 'cursor'] as const) expect(plan(client, 'darwin').written).toEqual(direct);
  for (const client of ['claude-code', 'vscode'] as const) {
    expect(plan(client, 'darwin').directEntry).toBeUndefined();
    expect(plan(client, 'darwin').written).toMatchObject({ command: 'npx' });
  }
  const cached = { mainPath: '/home/ann/.npm/_npx/0a1b/node_modules/agent-runtime-mcp/dist/main.js' };
  expect(plan('claude-desktop', 'linux', cached).written).toMatchObject({ command: 'npx' });
});

it('puts the name before the variables of `claude mcp add`, the order that works', () => {
  expect(claudeAddLine('linux', { scope: 'user' })).toBe(
    'claude mcp add agent-runtime --scope user -- npx -y agent-runtime-mcp',
  );
  expect(claudeAddLine('win32', { scope: 'local' })).toBe(
    'claude mcp add agent-runtime --scope local -- cmd /c npx -y agent-runtime-mcp',
  );
  expect(claudeAddLine('darwin', { scope: 'project', env: { A: 'x y', B: "it's" } })).toBe(
    `claude mcp add agent-runtime --scope project -e 'A=x y' -e 'B=it'\\''s' -- npx -y agent-runtime-mcp`,
  );
  expect(plan('claude-code', 'linux', { scope: 'local' }).lines).toEqual([claudeAddLine('linux', { scope: 'local' })]);
});

it('quotes a word for the shell only if it has to be quoted', () => {
  expect(shellWord('linux', '/a/b-c.d=e')).toBe('/a/b-c.d=e');
  expect(shellWord('linux', '$HOME')).toBe("'$HOME'");
  expect(shellWord('win32', 'C:\\a "b"')).toBe('"C:\\a \\"b\\""');
});

it('makes links and lines that hold the same entry', () => {
  const [link = ''] = plan('cursor', 'linux').lines;
  const config = new URL(link).searchParams.get('config') ?? '';
  expect(JSON.parse(Buffer.from(config, 'base64').toString())).toEqual(plan('cursor', 'linux').entry);
  expect(plan('vscode', 'linux').lines).toEqual([
    `code --add-mcp '{"name":"agent-runtime","command":"npx","args":["-y","agent-runtime-mcp"]}'`,
  ]);
  expect(plan('vscode', 'linux').entry).toMatchObject({ type: 'stdio' });
});

it('passes global options on to the server, with absolute paths', () => {
  expect(settingsFromFlags({})).toEqual({});
  expect(settingsFromFlags({ db: '/d.db', toolsets: 'core', readOnly: true, logLevel: 'debug' })).toEqual({
    AGENT_RUNTIME_DB_PATH: '/d.db',
    AGENT_RUNTIME_TOOLSETS: 'core',
    AGENT_RUNTIME_READ_ONLY: '1',
    AGENT_RUNTIME_LOG_LEVEL: 'debug',
  });
  expect(settingsFromFlags({ config: 'c.json' }).AGENT_RUNTIME_CONFIG).toBe(`${process.cwd()}/c.json`);
  const env = { AGENT_RUNTIME_DB_PATH: '/d.db' };
  expect(plan('vscode', 'linux', { env }).entry.env).toEqual(env);
});

it('shows for each client the file, the entry in its own form, and what comes after', async () => {
  const plain = (_format: unknown, text: string) => text;
  for (const client of clientIds) {
    const shown = plan(client, 'darwin');
    const format = await loadFormat(shown.app.format);
    const text = showPlan(shown, format, plain);
    expect(text).toContain(shown.file);
    expect(text).toContain(`install --client ${client} --write`);
    expect(text).toContain(shown.app.afterwards);
    for (const line of shown.lines) expect(text).toContain(line);
    expect(text.includes('/opt/node/bin/node')).toBe(shown.app.isDesktopApp);
    const [, printed = ''] = text.split('already has):\n\n');
    const end = printed.search(/\n\n(To have|\S+.* may not find)/);
    const root = format.parse(printed.slice(0, end));
    expect(root).toEqual(
      shown.app.serversPath.reduceRight<object>((inner, name) => ({ [name]: inner }), { 'agent-runtime': shown.entry }),
    );
  }
  const user = showPlan(plan('claude-code', 'linux', { scope: 'user' }), await loadFormat('json'), plain);
  expect(user).not.toContain('.mcp.json');
});
