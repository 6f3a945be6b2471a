import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { connectServer } from '../../support/mcp-client.js';
import { mainEntry } from '../../support/paths.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const files = {
  'claude-code': '.mcp.json',
  'claude-desktop': '.config/Claude/claude_desktop_config.json',
  cursor: '.cursor/mcp.json',
  vscode: '.vscode/mcp.json',
};
const cases = Object.entries(files);

it.each(cases)('prints how to connect %s, and changes nothing', async (client, file) => {
  const home = tempDir();
  const text = await runCli(['install', '--client', client], { home });
  expect([text.code, text.stderr]).toEqual([0, '']);
  expect(text.stdout).toContain(join(home, file));
  const asJson = await runCli(['install', '--client', client, '--print', '--json'], { home });
  expect(asJson.json()).toMatchObject({ client, file: join(home, file) });
  const [servers] = Object.values(asJson.json().config) as [Record<string, unknown>];
  expect(servers['agent-runtime']).toMatchObject({ command: 'npx' });
  expect(readdirSync(home)).toEqual([]);
});

it.each(cases)('adds the server to the file of %s once, beside the others', async (client, file) => {
  const home = tempDir();
  const key = client === 'vscode' ? 'servers' : 'mcpServers';
  const path = join(home, file);
  const install = async () => (await runCli(['install', '--client', client, '--write', '--json'], { home })).json();

  expect(await install()).toMatchObject({ client, file: path, status: 'added' });
  expect(Object.keys(JSON.parse(readFileSync(path, 'utf8'))[key])).toEqual(['agent-runtime']);
  expect(readdirSync(dirname(path)).filter((name) => name.includes('backup'))).toEqual([]);

  writeFileSync(path, `{\n    "other": true,\n    "${key}": {"memory": {"command": "m"}}\n}\n`);
  const { status, backup } = await install();
  expect(status).toBe('added');
  expect(readFileSync(backup, 'utf8')).toContain('"other": true');
  const merged = readFileSync(path, 'utf8');
  expect(merged).toMatch(/^\{\n {4}"other": true,\n/);
  expect(Object.keys(JSON.parse(merged)[key])).toEqual(['memory', 'agent-runtime']);

  const again = await install();
  expect(again).toMatchObject({ status: 'unchanged' });
  expect(again.backup).toBeUndefined();
  expect(readFileSync(path, 'utf8')).toBe(merged);
});

it.each(cases)('leaves a broken file of %s as it is', async (client, file) => {
  const home = tempDir();
  const path = join(home, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '{"mcpServers": {');
  const { code, stdout, stderr } = await runCli(['install', '--client', client, '--write'], { home });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(path);
  expect(stderr).toContain('is not JSON');
  expect(readFileSync(path, 'utf8')).toBe('{"mcpServers": {');
  expect(readdirSync(dirname(path))).toEqual([path.split('/').at(-1)]);
});

it('writes an entry that a client can start', async () => {
  const home = tempDir();
  await runCli(['install', '--client', 'claude-desktop', '--write', '--db', join(home, 'my.db')], { home });
  const config = JSON.parse(readFileSync(join(home, files['claude-desktop']), 'utf8'));
  const { command, args, env } = config.mcpServers['agent-runtime'];
  expect([command, args]).toEqual([process.execPath, [realpathSync(mainEntry)]]);
  const server = await connectServer({ home, command, args, env });
  await server.ok('create_goal', { name: 'g', description: 'd' });
  expect(readdirSync(home)).toContain('my.db');
});

it('edits only the file that Claude Code lets others edit', async () => {
  const home = tempDir();
  const project = join(home, 'app');
  mkdirSync(project);
  const env = { CLAUDE_PROJECT_DIR: project };
  const user = await runCli(['install', '--client', 'claude-code', '--scope', 'user', '--write'], { home, env });
  expect(user.code).toBe(2);
  expect(user.stderr).toContain('hint: Run: claude mcp add agent-runtime --scope user -- npx -y agent-runtime-mcp');
  const forProject = await runCli(['install', '--client', 'claude-code', '--scope', 'project', '--write'], {
    home,
    env,
  });
  expect(forProject.stdout).toContain(`Added agent-runtime to ${join(project, '.mcp.json')}.`);
  expect(readdirSync(home)).toEqual(['app']);
});

it.each([
  [['--client', 'emacs'], 'Allowed choices are claude-code, claude-desktop, cursor, vscode'],
  [[], "required option '--client <name>' not specified"],
  [['--client', 'cursor', '--scope', 'user'], '--scope is for claude-code'],
  [['--client', 'claude-code', '--scope', 'galaxy'], 'Allowed choices are local, project, user'],
  [['--client', 'cursor', '--print', '--write'], 'cannot be used with'],
])('refuses %j', async (args, message) => {
  const home = tempDir();
  const { code, stdout, stderr } = await runCli(['install', ...args], { home });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(readdirSync(home)).toEqual([]);
});

it('works although the config file of the runtime is broken', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), '{');
  expect((await runCli(['install', '--client', 'cursor'], { home })).code).toBe(0);
});
