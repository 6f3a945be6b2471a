// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of config files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../support/paths.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

interface Here {
  home: string;
  project: string;
}

/** A home and a project in it, with files of clients at their places. */
function placed(files: (here: Here) => Record<string, string>): Here {
  const home = tempDir();
  const here = { home, project: join(home, 'project') };
  mkdirSync(here.project);
  for (const [path, fixture] of Object.entries(files(here))) {
    mkdirSync(dirname(path), { recursive: true });
    const text = readFileSync(join(projectRoot, 'test', 'fixtures', 'clients', fixture), 'utf8');
    writeFileSync(path, text.replaceAll('PROJECT', here.project));
  }
  return here;
}

async function imported({ home, project }: Here, args: string[]) {
  const end = await runCli(['servers', 'import', ...args, '--json'], { home, cwd: project });
  expect(end.stderr).toBe('');
  const config = JSON.parse(readFileSync(join(home, '.claude', 'agent_runtime.json'), 'utf8'));
  return { report: end.json(), servers: config.mcpServers };
}

it('Claude Code: the servers of the user, of this project alone and of its .mcp.json, off where they are off', async () => {
  const here = placed(({ home, project }) => ({
    [join(home, '.claude.json')]: 'claude.json',
    [join(project, '.mcp.json')]: 'mcp.json',
  }));
  const { servers } = await imported(here, ['--client', 'claude-code']);
  expect(servers).toEqual({
    github: {
      type: 'http',
      url: 'https://example.org/github/mcp',
      headers: { Authorization: 'Bearer ${GITHUB_TOKEN}' },
    },
    notes: {
      type: 'stdio',
      command: 'npx',
      args: ['-y', 'notes-server'],
      env: { NOTES_DIR: '/notes' },
      disabled: true,
    },
    slack: {
      type: 'http',
      url: 'https://example.org/slack/mcp',
      oauth: { clientId: 'an-id', callbackPort: 8123, scopes: 'chat:read chat:write' },
    },
    'local-only': { type: 'sse', url: 'https://example.org/sse' },
    team: { command: '${TEAM_BIN:-team-server}', args: ['--stdio'], env: {} },
    rejected: { command: 'rejected-server', disabled: true },
    off: { command: 'off-server', disabled: true },
  });
});

it('Claude Desktop', async () => {
  const here = placed(({ home }) => ({
    [join(home, '.config', 'Claude', 'claude_desktop_config.json')]: 'claude_desktop_config.json',
  }));
  const { servers } = await imported(here, ['--client', 'claude-desktop']);
  expect(servers).toEqual({
    filesystem: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/Users/me/Desktop'] },
  });
});

it('Cursor: its placeholders are ours, its login is ours, and what is not copied is said', async () => {
  const here = placed(({ project }) => ({ [join(project, '.cursor', 'mcp.json')]: 'cursor.jsonc' }));
  const { servers, report } = await imported(here, ['--client', 'cursor']);
  expect(servers).toEqual({
    db: {
      type: 'stdio',
      command: `${here.home}/bin/db-server`,
      args: ['--root', here.project, '--name', 'project'],
      env: { DB_URL: '${DATABASE_URL}' },
    },
    remote: {
      url: 'https://example.org/mcp',
      headers: { 'X-Key': '${REMOTE_KEY}' },
      oauth: { clientId: 'cursor-client', clientSecret: '${REMOTE_SECRET}', scopes: 'read write' },
    },
  });
  expect(report.notes).toEqual([{ server: 'db', note: expect.stringContaining('envFile') }]);
});

it('VS Code: its inputs become variables, which the report names', async () => {
  const here = placed(({ project }) => ({ [join(project, '.vscode', 'mcp.json')]: 'vscode.json' }));
  const { servers, report } = await imported(here, ['--client', 'vscode']);
  expect(servers).toEqual({
    github: {
      type: 'http',
      url: 'https://example.org/github/mcp',
      headers: { Authorization: 'Bearer ${GITHUB_TOKEN}' },
    },
    old: { type: 'sse', url: 'https://example.org/sse' },
    tool: { type: 'stdio', command: 'uvx', args: ['tool'], cwd: `${here.project}/tools` },
  });
  expect(report.notes).toEqual([{ server: 'github', note: expect.stringContaining('set the variable GITHUB_TOKEN') }]);
});

it('Codex: its TOML, with variables that it passes on, its headers and its limits', async () => {
  const here = placed(({ home }) => ({ [join(home, '.codex', 'config.toml')]: 'codex.toml' }));
  const { servers } = await imported(here, ['--client', 'codex']);
  expect(servers).toEqual({
    docs: {
      command: 'npx',
      args: ['-y', 'docs-server'],
      env: { DOCS_KEY: '${DOCS_KEY:-}', DOCS_REGION: '${DOCS_REGION:-}', LEVEL: 'info' },
      startTimeout: 45_000,
      timeout: 50_000,
    },
    remote: {
      url: 'https://example.org/mcp',
      headers: { 'X-Region': 'eu', 'X-Team': '${TEAM}', Authorization: 'Bearer ${REMOTE_TOKEN}' },
    },
    'with-login': { url: 'https://example.org/login/mcp', oauth: { scopes: 'read' }, disabled: true },
  });
});

it('Windsurf: its address of a server has another name; the file alone is enough, and a second time changes nothing', async () => {
  const here = placed(({ home }) => ({ [join(home, '.codeium', 'windsurf', 'mcp_config.json')]: 'windsurf.json' }));
  const expected = {
    remote: { url: 'https://example.org/mcp', headers: { Authorization: 'Bearer ${REMOTE_TOKEN}' } },
    git: { command: 'uvx', args: ['mcp-server-git'], env: {}, disabled: true },
  };
  const file = join(here.home, '.codeium', 'windsurf', 'mcp_config.json');
  expect((await imported(here, [file])).servers).toEqual(expected);
  const again = await imported(here, ['--client', 'windsurf']);
  expect(again.report).toMatchObject({ unchanged: ['remote', 'git'], added: [], files: [file] });
  expect(again.servers).toEqual(expected);
});

it('a client that has no file here, both or neither of file and client, and broken TOML are told apart', async () => {
  const { home, project } = placed(() => ({}));
  const run = (args: string[]) => runCli(['servers', 'import', ...args], { home, cwd: project });
  const missing = await run(['--client', 'codex']);
  expect(missing.code).toBe(3);
  expect(missing.stderr).toContain(join('.codex', 'config.toml'));
  expect((await run([])).stderr).toContain('Name either a file or, with --client');
  const file = join(project, 'config.toml');
  writeFileSync(file, '[mcp_servers');
  expect((await run([file])).stderr).toMatch(/is not TOML: line 1/);
});
