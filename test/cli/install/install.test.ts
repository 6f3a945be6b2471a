import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { parseChoice } from '../../../src/cli/install/offer.js';
import { connectServer } from '../../support/mcp-client.js';
import { mainEntry } from '../../support/paths.js';
import { tempDir } from '../../support/temp-dir.js';
import { hasTerminal, inTerminal } from '../in-terminal.js';
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
  expect(stderr).toContain('cannot be read: line 1, column 17: a closing brace is expected');
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
  [['--client', 'emacs'], 'Allowed choices are claude-code, claude-desktop, cursor, vscode, codex'],
  [['--client', 'claude-desktop', '--scope', 'project'], 'Claude Desktop has no project scope'],
  [['--client', 'cursor', '--scope', 'local'], 'Cursor has no local scope'],
  [['--client', 'claude-code', '--scope', 'galaxy'], 'Allowed choices are local, project, user'],
  [['--client', 'cursor', '--print', '--write'], 'cannot be used with'],
  [['--client', 'cursor', '--dry-run', '--write'], 'cannot be used with'],
  [['--client', 'cursor', '--all', '--write'], '--all and --client exclude each other'],
  [['--write'], 'No client is named'],
  [['--client', 'claude-desktop', '--env', 'KEY', '--write'], 'Claude Desktop cannot pass KEY on'],
])('refuses %j', async (args, message) => {
  const home = tempDir();
  const { code, stdout, stderr } = await runCli(['install', ...args], { home });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(readdirSync(home)).toEqual([]);
});

it('shows as a diff what it would change, and changes nothing', async () => {
  const home = tempDir();
  const file = join(home, '.vscode/mcp.json');
  mkdirSync(dirname(file));
  const text = '{\n  // mine\n  "servers": {\n    "memory": { "command": "m" }, // why\n  },\n}\n';
  writeFileSync(file, text);
  const install = ['install', '--client', 'vscode', '--env', 'GOOGLE_API_KEY'];
  const { code, stdout } = await runCli([...install, '--dry-run'], { home });
  expect(code).toBe(0);
  expect(stdout).toContain(`--- ${file}`);
  expect(stdout).toContain('+    "agent-runtime": {');
  expect(stdout.split('\n').filter((line) => /^-(?!--)/.test(line))).toEqual([]);
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(readdirSync(dirname(file))).toEqual(['mcp.json']);

  await runCli([...install, '--write'], { home });
  const added = stdout.split('\n').flatMap((line) => (/^\+(?!\+\+)/.test(line) ? [line.slice(1)] : []));
  const written = readFileSync(file, 'utf8');
  expect(written.split('\n').filter((line) => added.includes(line)).length).toBeGreaterThanOrEqual(added.length);
  expect(written).toContain(`"GOOGLE_API_KEY": "\${input:google-api-key}"`);
  const again = await runCli([...install, '--dry-run'], { home });
  expect(again.stdout).toBe(`${file}: nothing would change.\n`);
});

/** A machine with a comment in VS Code's file, two entries of ours, and a client that is not connected. */
function machineWithClients() {
  const home = tempDir();
  const put = (file: string, text: string) => {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), text);
    return join(home, file);
  };
  return {
    home,
    cursor: put('.cursor/mcp.json', '{\n  // mine\n  "mcpServers": {}\n}\n'),
    codex: put('.codex/config.toml', 'model = "m" # mine\n\n[mcp_servers.board]\ncommand = "agent-runtime"\n'),
    gemini: put('.gemini/settings.json', '{'),
  };
}

it('without a client, lists those of this machine and which are connected', async () => {
  const { home, cursor, codex, gemini } = machineWithClients();
  const { clients } = (await runCli(['install', '--json'], { home })).json();
  expect(clients).toEqual([
    { client: 'cursor', title: 'Cursor', file: cursor, connected: [] },
    { client: 'codex', title: 'Codex', file: codex, connected: [{ name: 'board', file: codex, scope: 'user' }] },
    expect.objectContaining({ client: 'gemini-cli', file: gemini, problem: expect.stringContaining('line 1') }),
  ]);
  const { code, stdout } = await runCli(['install'], { home });
  expect(code).toBe(0);
  expect(stdout).toContain('connected as board');
  expect(stdout).toContain('Next: agent-runtime install --client <name> --write');
});

it('connects every client that is not connected yet, and says which file it could not change', async () => {
  const { home, cursor, codex } = machineWithClients();
  mkdirSync(join(home, '.config/goose'), { recursive: true });
  mkdirSync(join(home, '.kiro'));
  const before = readFileSync(codex, 'utf8');
  const { clients } = (await runCli(['install', '--all', '--write', '--json'], { home })).json();
  expect(clients.map(({ client, status }: { client: string; status: string }) => [client, status])).toEqual([
    ['cursor', 'added'],
    ['goose', 'added'],
    ['kiro', 'added'],
  ]);
  expect(readFileSync(cursor, 'utf8')).toContain('// mine');
  expect(readFileSync(codex, 'utf8')).toBe(before);
  expect(readFileSync(join(home, '.config/goose/config.yaml'), 'utf8')).toMatch(/^extensions:\n {2}agent-runtime:\n/);
});

it('removes from a client every entry that starts this program, and nothing else', async () => {
  const { home, codex } = machineWithClients();
  await runCli(['install', '--client', 'codex', '--write'], { home });
  expect(readFileSync(codex, 'utf8')).toContain('[mcp_servers.agent-runtime]');
  const dry = await runCli(['uninstall', '--client', 'codex', '--dry-run'], { home });
  expect(dry.stdout).toContain('-[mcp_servers.board]');
  const removed = (await runCli(['uninstall', '--client', 'codex', '--json'], { home })).json();
  expect(removed.clients).toHaveLength(2);
  for (const { status, backup } of removed.clients) {
    expect(status).toBe('removed');
    expect(readFileSync(backup, 'utf8')).toContain('model = "m" # mine');
  }
  expect(readFileSync(codex, 'utf8')).toBe('model = "m" # mine\n');
  const again = await runCli(['uninstall', '--client', 'codex'], { home });
  expect([again.code, again.stdout]).toEqual([0, 'Codex does not start this program; nothing was changed.\n']);
});

it('removes it everywhere with --all, and leaves files as they were before', async () => {
  const { home, cursor } = machineWithClients();
  const before = readFileSync(cursor, 'utf8');
  await runCli(['install', '--client', 'cursor', '--write'], { home });
  expect(readFileSync(cursor, 'utf8')).not.toBe(before);
  const { clients } = (await runCli(['uninstall', '--all', '--json'], { home })).json();
  expect(clients.map(({ client }: { client: string }) => client)).toEqual(['cursor', 'codex']);
  expect(JSON.parse(readFileSync(cursor, 'utf8').replace('// mine', ''))).toEqual({ mcpServers: {} });
});

it.runIf(hasTerminal)('at a terminal, asks which clients to connect', async () => {
  const { home, cursor } = machineWithClients();
  mkdirSync(join(home, '.kiro'));
  let isAnswered = false;
  const { shown } = await inTerminal(['install'], {
    home,
    onShown(text, { type }) {
      if (isAnswered || !text.includes('Connect which?')) return;
      isAnswered = true;
      type('2\r');
    },
  });
  expect(shown).toMatch(/1 {2}Cursor\s+2 {2}Kiro/);
  expect(shown).toContain(`Added agent-runtime to ${join(home, '.kiro/settings/mcp.json')}.`);
  expect(readFileSync(cursor, 'utf8')).not.toContain('agent-runtime');
});

it('understands numbers, names and all as an answer', () => {
  const offered = ['cursor', 'codex', 'kiro'] as const;
  expect(parseChoice('1, 3', offered)).toEqual(['cursor', 'kiro']);
  expect(parseChoice(' CODEX ', offered)).toEqual(['codex']);
  expect(parseChoice('all', offered)).toEqual(offered);
  expect(parseChoice('', offered)).toEqual([]);
  expect(parseChoice('4 emacs', offered)).toEqual([]);
});

it('works although the config file of the runtime is broken', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), '{');
  expect((await runCli(['install', '--client', 'cursor'], { home })).code).toBe(0);
});
