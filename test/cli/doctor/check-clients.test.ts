import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { checkClients } from '../../../src/cli/doctor/check-clients.js';
import { configFileOf, defaultScopeOf } from '../../../src/cli/install/client-app.js';
import { clientIds, clientOf } from '../../../src/cli/install/clients.js';
import { findOurs } from '../../../src/cli/install/connected.js';
import { loadFormat } from '../../../src/cli/install/formats/load-format.js';
import { tempDir } from '../../support/temp-dir.js';
import { testConfig } from '../../support/test-runtime.js';

function machine(env: Record<string, string> = {}, platform: NodeJS.Platform = 'linux') {
  const home = tempDir();
  const project = join(home, 'project');
  mkdirSync(project);
  const config = testConfig(home, { CLAUDE_PROJECT_DIR: project, ...env });
  return {
    home,
    project,
    put(path: string, content: unknown) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    },
    async check() {
      const checks = await checkClients(config, platform);
      return Object.fromEntries(checks.map(({ name, status, detail, fix }) => [name, { status, detail, fix }]));
    },
  };
}

const npx = { command: 'npx', args: ['-y', 'agent-runtime-mcp'] };

it('finds Claude Code and its version, and that it is not connected to this server', async () => {
  const bin = tempDir();
  writeFileSync(join(bin, 'claude'), '#!/bin/sh\necho "2.1.328 (Claude Code)"\n');
  chmodSync(join(bin, 'claude'), 0o755);
  const { check } = machine({ PATH: `${bin}:/usr/bin:/bin` });
  expect((await check())['Claude Code']).toEqual({
    status: 'warn',
    detail: `2.1.328 (${join(bin, 'claude')}); not connected`,
    fix: 'Run: agent-runtime install --client claude-code',
  });
});

it.each([
  ['the user scope', (servers: object) => ({ mcpServers: servers })],
  ['the local scope', (servers: object, project: string) => ({ projects: { [project]: { mcpServers: servers } } })],
])('finds the server in %s of Claude Code', async (_scope, state) => {
  const { home, project, put, check } = machine();
  put(join(home, '.claude.json'), state({ 'agent-runtime': npx }, project));
  const found = await check();
  expect(found['Claude Code']?.status).toBe('ok');
  expect(found['Claude Code']?.detail).toContain(join(home, '.claude.json'));
  expect(found.connected).toBeUndefined();
});

it('finds the server under another name in .mcp.json, and in another config directory', async () => {
  const { project, put, check } = machine();
  put(join(project, '.mcp.json'), { mcpServers: { memory: { command: 'npx', args: ['x'] }, board: npx } });
  expect((await check())['Claude Code']?.detail).toContain('connected as board');
  const elsewhere = machine({ CLAUDE_CONFIG_DIR: join(project, 'conf') });
  elsewhere.put(join(project, 'conf', '.claude.json'), { mcpServers: { 'agent-runtime': npx } });
  expect((await elsewhere.check())['Claude Code']?.status).toBe('ok');
});

it.each(clientIds.flatMap((id) => (['linux', 'darwin', 'win32'] as const).map((platform) => [id, platform] as const)))(
  'finds the server in the file of %s on %s',
  async (id, platform) => {
    // Here, the separators of Windows would become a part of file names.
    if (platform === 'win32' && process.platform !== 'win32') return;
    const { home, project, put, check } = machine({}, platform);
    const app = clientOf(id);
    const file = configFileOf(app, defaultScopeOf(app), { platform, home, env: {}, project }) ?? '';
    const format = await loadFormat(app.format);
    const entry = app.entry({ ...npx, env: {}, passedEnv: [] });
    put(file, format.set('', [...app.serversPath, 'agent-runtime'], entry));
    const found = (await check())[app.title];
    expect(found?.status).toBe('ok');
    expect(found?.detail).toContain(`connected as agent-runtime in ${file}`);
  },
);

it.each([
  [{ command: 'npx', args: ['-y', 'agent-runtime-mcp@latest'] }, true],
  [{ command: 'cmd', args: ['/c', 'npx', '-y', 'agent-runtime-mcp'] }, true],
  [{ command: 'agent-runtime' }, true],
  [{ command: 'C:\\npm\\agent-runtime.cmd', args: [] }, true],
  [{ command: 'node', args: ['/src/agent-runtime-mcp/dist/main.js', '--db', '/not/there.db'] }, true],
  [{ command: 'npx', args: ['-y', 'other-agent-runtime'] }, false],
  [{ command: 'npx', args: ['-y', 'agent-runtime-mcp-viewer'] }, false],
  [{ type: 'local', command: ['npx', '-y', 'agent-runtime-mcp'] }, true],
  [{ cmd: 'npx', args: ['-y', 'agent-runtime-mcp'] }, true],
  [{ url: 'https://example.com' }, false],
  ['text', false],
])('recognizes this server by what an entry starts: %j, %s', (entry, isOurs) => {
  expect(findOurs({ board: entry }).length).toBe(isOurs ? 1 : 0);
});

it('warns if the file that a client would start no longer exists', async () => {
  const { home, put, check } = machine();
  const file = join(home, '.config/Claude/claude_desktop_config.json');
  put(file, { mcpServers: { 'agent-runtime': { command: '/gone/bin/node', args: ['/gone/dist/main.js'] } } });
  expect((await check())['Claude Desktop']).toEqual({
    status: 'warn',
    detail: `agent-runtime in ${file} starts /gone/bin/node, which does not exist`,
    fix: 'Run: agent-runtime install --client claude-desktop --write',
  });
});

it('says that a client was found but not connected, and which file cannot be read', async () => {
  const { home, put, check } = machine();
  mkdirSync(join(home, '.cursor'));
  put(join(home, '.claude.json'), '{ broken');
  const found = await check();
  expect(found.Cursor).toMatchObject({ status: 'warn', detail: 'found; not connected' });
  expect(found['Claude Code']).toMatchObject({ status: 'warn' });
  expect(found['Claude Code']?.detail).toContain('.claude.json');
  expect(found['VS Code']).toBeUndefined();
  expect(found.others).toMatchObject({ status: 'ok' });
  expect(found.others?.detail).toContain('not found: Claude Desktop, VS Code, Codex');
  expect(found.connected).toMatchObject({ status: 'warn' });
});
