import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ServerSettings } from '../../../src/base/server-settings.js';
import { odd } from '../../downstream/tool-runtime.js';
import { tempDir } from '../../support/temp-dir.js';
import { hasTerminal, textInTerminal } from '../in-terminal.js';
import { runCli } from '../run-cli.js';

const configOf = (home: string) => join(home, '.claude', 'agent_runtime.json');

function homeWith(config: unknown): string {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  if (config !== undefined) writeFileSync(configOf(home), `${JSON.stringify(config, null, 4)}\n`);
  return home;
}

function sourceIn(home: string, mcpServers: Record<string, unknown>): string {
  const file = join(home, '.mcp.json');
  writeFileSync(file, JSON.stringify({ mcpServers }));
  return file;
}

it('import copies the fields that every client knows, skips the rest, and leaves a backup', async () => {
  const home = homeWith({ model: 'opus', mcpServers: { files: { command: 'files', instances: 3 } } });
  const before = readFileSync(configOf(home), 'utf8');
  const file = sourceIn(home, {
    github: { command: 'npx', args: ['-y', 'github-server'], env: { TOKEN: 'x' }, disabled: false, alwaysAllow: ['a'] },
    web: { type: 'http', url: 'https://example.org/mcp', headers: { Authorization: 'Bearer y' } },
    old: { type: 'sse', url: 'https://example.org/sse', disabled: true },
    'a b': { command: 'x' },
    'agent-runtime': { command: 'npx', args: ['-y', 'agent-runtime-mcp'] },
    files: { command: 'other' },
  });
  const end = await runCli(['servers', 'import', file, '--json'], { home });
  expect(end.code).toBe(0);
  const report = end.json();
  expect(report).toMatchObject({ added: ['github', 'web', 'old'], replaced: [], unchanged: [], dry_run: false });
  expect(report.skipped.map(({ server }: { server: string }) => server)).toEqual(['a b', 'agent-runtime', 'files']);
  expect(report.skipped[0].reason).toBe('its name is not a name of letters, digits, - and _, 64 characters at most');
  const text = readFileSync(configOf(home), 'utf8');
  expect(text).toContain('\n    "model"');
  expect(JSON.parse(text)).toEqual({
    model: 'opus',
    mcpServers: {
      files: { command: 'files', instances: 3 },
      github: { command: 'npx', args: ['-y', 'github-server'], env: { TOKEN: 'x' } },
      web: { type: 'http', url: 'https://example.org/mcp', headers: { Authorization: 'Bearer y' } },
      old: { type: 'sse', url: 'https://example.org/sse', disabled: true },
    },
  });
  expect(readFileSync(report.backup, 'utf8')).toBe(before);
  expect((await runCli(['servers', 'import', file, '--json'], { home })).json()).toMatchObject({
    unchanged: ['github', 'web', 'old'],
  });
  const replaced = await runCli(['servers', 'import', file, '--replace', '--json'], { home });
  expect(replaced.json().replaced).toEqual(['files']);
  expect(JSON.parse(readFileSync(configOf(home), 'utf8')).mcpServers.files).toEqual({ command: 'other', instances: 3 });
});

it('a dry run changes nothing, and neither does an invalid file', async () => {
  const home = homeWith(undefined);
  const file = sourceIn(home, { one: { command: 'one' } });
  const dry = await runCli(['servers', 'import', file, '--dry-run'], { home });
  expect(dry).toMatchObject({ code: 0, stdout: 'Would have added one.\n' });
  writeFileSync(file, '{"tools": {}}');
  const wrong = await runCli(['servers', 'import', file], { home });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('has neither "mcpServers" nor "servers"');
  expect((await runCli(['servers', 'import', join(home, 'nowhere')], { home })).code).toBe(3);
  expect(readdirSync(join(home, '.claude'))).toEqual([]);
});

it('check starts each server and names the problem of each; list starts none and shows what check has found', async () => {
  const servers: Record<string, ServerSettings> = { good: odd(), bad: { command: 'no-such-command-anywhere' } };
  const home = homeWith({ mcpServers: servers });
  const unseen = await runCli(['servers', 'list', '--json'], { home });
  expect(unseen.json().servers.map(({ tools }: { tools: unknown }) => tools)).toEqual([null, null]);
  const checked = await runCli(['servers', 'check', '--json'], { home });
  expect(checked.code).toBe(1);
  expect(checked.json().servers).toMatchObject([
    { server: 'good', status: 'ok', tools: 26 },
    { server: 'bad', status: 'fail', problem: 'its command was not found' },
  ]);
  expect((await runCli(['servers', 'check', 'good'], { home })).code).toBe(0);
  expect((await runCli(['servers', 'check', 'stranger'], { home })).code).toBe(3);
  const list = (await runCli(['servers', 'list'], { home })).json().servers;
  expect(list).toMatchObject([
    { server: 'good', instances: 1, tools: 26 },
    { server: 'bad', tools: null },
  ]);
});

it('check tries more servers than a session may have, whatever number of instances they have', async () => {
  const servers = Object.fromEntries(
    Array.from({ length: 22 }, (_, number) => [`s${number}`, odd(number < 4 ? { instances: 8 } : {})]),
  );
  const checked = await runCli(['servers', 'check', '--json'], { home: homeWith({ mcpServers: servers }) });
  const found = checked.json().servers as { server: string; status: string; problem?: string }[];
  expect(found.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(found.map(({ server }) => server)).toEqual(Object.keys(servers));
  expect(checked.code).toBe(0);
});

it('call_tool works from a shell too, and the process ends by itself', async () => {
  const home = homeWith({ mcpServers: { odd: odd() } });
  const end = await runCli(
    ['tool', 'call_tool', '--input', '{"tool_name":"odd.echo","arguments":{"text":"hi"}}', '--json'],
    { home },
  );
  expect(end.code).toBe(0);
  expect(end.json()).toMatchObject({ source: 'primary', result: { content: [{ type: 'text', text: 'hi' }] } });
});

it('a server whose entry is wrong is listed as left out, with the key, and one that is switched off as such', async () => {
  const home = homeWith({ mcpServers: { odd: { command: 'x', instances: 9 }, off: { command: 'y', disabled: true } } });
  const end = await runCli(['servers', 'list', '--json'], { home });
  expect(end.code).toBe(0);
  expect(end.json().servers).toMatchObject([
    { server: 'odd', off: expect.stringContaining('mcpServers.odd.instances') },
    { server: 'off', off: 'switched off' },
  ]);
});

it('import takes the file of VS Code, which names its servers otherwise', async () => {
  const home = homeWith({});
  const file = join(home, 'mcp.json');
  writeFileSync(file, JSON.stringify({ inputs: [], servers: { one: { type: 'stdio', command: 'one' } } }));
  expect((await runCli(['servers', 'import', file, '--json'], { home })).json()).toMatchObject({ added: ['one'] });
});

it('import keeps the comments of the config file', async () => {
  const home = homeWith({});
  writeFileSync(configOf(home), '{\n  // the best one\n  "model": "opus", /* for all */\n}\n');
  const file = sourceIn(home, { one: { command: 'one' } });
  expect((await runCli(['servers', 'import', file], { home })).code).toBe(0);
  const text = readFileSync(configOf(home), 'utf8');
  expect(text).toContain('// the best one\n  "model": "opus", /* for all */');
  expect((await runCli(['servers', 'list', '--json'], { home })).json().servers).toMatchObject([{ server: 'one' }]);
});

it.skipIf(!hasTerminal)('list is a table in a terminal, and creates no database', async () => {
  const home = homeWith({ mcpServers: { files: { command: 'files' } } });
  expect(await textInTerminal(['servers', 'list'], { home })).toBe(
    'SERVER  RUNS   INSTANCES        TOOLS\nfiles   files          1  never asked\n',
  );
  expect(readdirSync(join(home, '.claude')).filter((name) => name.endsWith('.db'))).toEqual([]);
});

it('what check says of a server that ends at its start is in its report; the log has a short line for it, without a stack', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.claude'), { recursive: true });
  const code = "throw new Error('cannot find my config')";
  const mcpServers = { broken: { command: process.execPath, args: ['-e', code] } };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  const { code: exit, json, stderr } = await runCli(['servers', 'check', '--json'], { home });
  expect(exit).toBe(1);
  expect(json().servers).toMatchObject([
    { problem: 'it ended with exit code 1 before it was ready', said: expect.stringMatching(/^Error: cannot find/) },
  ]);
  const lines = stderr.split('\n').filter((line) => line.includes('did not start'));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toContain('it ended with exit code 1 before it was ready');
  expect(stderr).not.toMatch(/\bat \S+ \(|stack/);
});
