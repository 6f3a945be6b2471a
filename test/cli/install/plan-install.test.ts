import { expect, it } from 'vitest';
import { type ClientId, clientIds } from '../../../src/cli/install/clients.js';
import {
  type InstallRequest,
  planInstall,
  settingsFromFlags,
  showPlan,
} from '../../../src/cli/install/plan-install.js';
import { claudeAddLine, shellWord } from '../../../src/cli/launch.js';

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
});

it.each(clientIds)('starts the server for %s by npx, on Windows through a shell', (client) => {
  expect(plan(client, 'darwin').entry).toMatchObject({ command: 'npx', args: ['-y', 'agent-runtime-mcp'] });
  expect(plan(client, 'win32').entry).toMatchObject({
    command: 'cmd',
    args: ['/c', 'npx', '-y', 'agent-runtime-mcp'],
  });
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

it('shows for each client the file, the entry, and what comes after', () => {
  const plain = (_format: unknown, text: string) => text;
  for (const client of clientIds) {
    const shown = plan(client, 'darwin');
    const text = showPlan(shown, undefined, plain);
    expect(text).toContain(shown.file);
    expect(text).toContain(`install --client ${client} --write`);
    expect(text).toContain(shown.app.afterwards);
    for (const line of shown.lines) expect(text).toContain(line);
    expect(text.includes('/opt/node/bin/node')).toBe(shown.app.isDesktopApp);
  }
  const user = showPlan(plan('claude-code', 'linux', { scope: 'user' }), 'user', plain);
  expect(user).not.toContain('.mcp.json');
});
