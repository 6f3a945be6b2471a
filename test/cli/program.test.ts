import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.js';
import type { DefinedCommand } from '../../src/cli/define-command.js';
import { createOutput } from '../../src/cli/output.js';
import { runCommandLine } from '../../src/cli/program.js';
import { connectServer } from '../support/mcp-client.js';
import { mainEntry, projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { runCli } from './run-cli.js';

/** Every command with the words that call it. */
const declared: { words: string[]; command: DefinedCommand }[] = Object.values(commands).flatMap((group) =>
  group.flatMap((one) =>
    'commands' in one
      ? one.commands.map((command) => ({ words: [one.name, command.name], command }))
      : [{ words: [one.name], command: one }],
  ),
);

it('lists every command under its group, and how to connect a client, with --help', async () => {
  const { code, stdout, stderr } = await runCli(['--help'], { home: tempDir() });
  expect(code).toBe(0);
  expect(stderr).toBe('');
  for (const [group, members] of Object.entries(commands)) {
    const [, section = ''] = stdout.split(`\n${group}:\n`);
    const [list = ''] = section.split('\n\n');
    for (const { name } of members) expect(list).toMatch(new RegExp(`^  ${name}( |$)`, 'm'));
  }
  expect(stdout).toContain('claude mcp add agent-runtime --scope user -- npx -y agent-runtime-mcp');
  expect(stdout).toContain('agent-runtime install --client claude-desktop');
});

it('explains each command with --help: what it does, its own options and the global ones', async () => {
  for (const { words, command } of declared) {
    const stdout = await helpOf(words);
    expect(stdout).toContain(`Usage: agent-runtime ${words.join(' ')}`);
    expect(oneLine(stdout)).toContain(command.description);
    for (const { flags } of Object.values(command.options)) expect(oneLine(stdout)).toContain(flags);
    expect(stdout).toContain('--json');
  }
});

/** A command is only asked for its help, so that a process of its own would be none the wiser. */
async function helpOf(words: string[]): Promise<string> {
  const written: string[] = [];
  await runCommandLine([...words, '--help'], { ...createOutput(), write: (text) => void written.push(text) });
  return written.join('');
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');

it('the commands of a set are listed with the help of the set', async () => {
  for (const set of Object.values(commands).flatMap((group) => group.filter((one) => 'commands' in one))) {
    const stdout = await helpOf([set.name]);
    expect(oneLine(stdout)).toContain(set.description);
    for (const { name } of set.commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
});

describe.each(declared.map(({ words, command }) => [words.join(' '), command] as const))('%s', (_, command) => {
  const texts = [...Object.values(command.options), ...Object.values(command.arguments)].map((one) => one.description);

  it('has a description in plain sentences, and one for each option and argument', () => {
    expect(command.description).toMatch(/^[A-Z].{15,140}\.$/);
    for (const text of texts) expect(text).toMatch(/^.{4,120}[^.]$/);
    for (const text of [command.description, ...texts]) {
      expect(text).not.toMatch(/\b(mends?|wish(es)?|nobody|unless given|told|put out|looking)\b/i);
    }
  });
});

it('prints its version', async () => {
  const { version } = await import(join(projectRoot, 'package.json'), { with: { type: 'json' } }).then(
    (module) => module.default,
  );
  const { code, stdout } = await runCli(['--version'], { home: tempDir() });
  expect([code, stdout]).toEqual([0, `${version}\n`]);
});

it.each([
  [['doctr'], "unknown command 'doctr'", 'Did you mean doctor?'],
  [['tol', 'create_task'], "unknown command 'tol'", 'Did you mean tool?'],
  [['bogus'], "unknown command 'bogus'", 'agent-runtime --help'],
  [['frobnicate'], "unknown command 'frobnicate'", 'agent-runtime --help'],
  [['help', 'frobnicate'], 'no such command', 'agent-runtime --help'],
  [['doctor', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
  [['doctor', 'now'], 'too many arguments', ''],
  [['doctor', '--db'], "option '--db <file>' argument missing", ''],
  [['doctor', '--log-level', 'loud'], "argument 'loud' is invalid", ''],
])('%j is wrong usage', async (args, message, hint) => {
  const { code, stdout, stderr } = await runCli(args, { home: tempDir() });
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: /);
  expect(stderr).toContain(message);
  expect(stderr).toContain(hint);
});

it('says what is wrong with its usage as JSON, wherever --json stands', async () => {
  const { code, json, stderr } = await runCli(['doctr', '--json'], { home: tempDir() });
  expect(code).toBe(2);
  expect(json().error).toEqual({
    code: 'invalid',
    message: "unknown command 'doctr'",
    hint: 'Did you mean doctor?',
  });
  expect(stderr).toBe('');
});

it('ends quietly when its reader has read enough', async () => {
  const shell = spawn(
    '/bin/bash',
    ['-c', `set -o pipefail; "$0" "$1" tool --list --json | head -1`, process.execPath, mainEntry],
    {
      env: { HOME: tempDir(), PATH: '/usr/bin:/bin' },
    },
  );
  let stdout = '';
  let stderr = '';
  shell.stdout.on('data', (data) => {
    stdout += data;
  });
  shell.stderr.on('data', (data) => {
    stderr += data;
  });
  const code = await new Promise((resolve) => shell.on('close', resolve));
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '{\n', stderr: '' });
});

it('serves on a pipe when it is given flags and no command', async () => {
  const home = tempDir();
  const db = join(home, 'elsewhere.db');
  const server = await connectServer({ home, args: [mainEntry, '--db', db, '--toolsets', 'goals'] });
  const names = (await server.client.listTools()).tools.map((tool) => tool.name);
  expect(names).toContain('create_goal');
  expect(names).not.toContain('submit_background_task');
  await server.ok('create_goal', { name: 'g', description: 'd' });
  expect(existsSync(db)).toBe(true);
});

it('serves with flags by name, and a client reads nothing but the protocol', async () => {
  const home = tempDir();
  const server = await connectServer({ home, args: [mainEntry, 'serve', '--read-only', '--verbose'] });
  const { tools } = await server.client.listTools();
  expect(tools.length).toBeGreaterThan(5);
  expect(tools.every((tool) => tool.annotations?.readOnlyHint)).toBe(true);
});

it.skipIf(!existsSync('/usr/bin/script'))(
  'prints help on a terminal, in colours unless they are unwanted',
  async () => {
    const onTerminal = async (env: Record<string, string>, ...args: string[]) => {
      const line = [process.execPath, mainEntry, ...args].join(' ');
      const terminal = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], {
        env: { HOME: tempDir(), PATH: '/usr/bin:/bin', TERM: 'xterm-256color', ...env },
      });
      let text = '';
      terminal.stdout.on('data', (data) => {
        text += data;
      });
      const code = await new Promise((resolve) => terminal.on('close', resolve));
      return { code, text };
    };
    const bare = await onTerminal({});
    expect(bare.code).toBe(0);
    expect(bare.text).toContain('Connect a client:');
    const colour = '\u001b[';
    expect((await onTerminal({}, 'tool', '--list')).text).toContain(colour);
    expect((await onTerminal({ NO_COLOR: '1' }, 'tool', '--list')).text).not.toContain(colour);
  },
);

describe('a misspelt variable', () => {
  const env = { AGENT_RUNTIME_READONLY: '1' };
  const warning = 'The variable AGENT_RUNTIME_READONLY has no effect: there is no such setting. ';

  it.each([['tool', '--list'], ['status'], ['prices', 'list'], ['token', 'list']])(
    'is named by %s %s',
    async (...args) => {
      const end = await runCli(args, { home: tempDir(), env });
      expect([end.code, end.stderr.split('\n')[0]]).toEqual([
        0,
        `warning: ${warning}Did you mean AGENT_RUNTIME_READ_ONLY?`,
      ]);
      expect((await runCli([...args, '--quiet'], { home: tempDir(), env })).stderr).not.toContain(warning);
    },
  );

  it('is a finding of doctor, once', async () => {
    const { json, stderr } = await runCli(['doctor', '--json'], { home: tempDir(), env });
    const findings = json().checks.filter(({ name }: { name: string }) => name === 'environment');
    expect(findings).toMatchObject([{ status: 'warn', detail: expect.stringContaining(warning) }]);
    expect(stderr).toBe('');
  });

  it.each([[[]], [['serve']]])('is named by the log of the server that a client starts with %j', async (args) => {
    const home = tempDir();
    const server = await connectServer({ home, args: [mainEntry, ...args], env });
    await server.ok('runtime_status', {});
    const [day = ''] = readdirSync(join(home, '.claude/agent_runtime/logs'));
    const log = readFileSync(join(home, '.claude/agent_runtime/logs', day), 'utf8');
    expect(log.split(warning)).toHaveLength(2);
  });
});

it('the package has the schema of the config file', () => {
  const schema = JSON.parse(readFileSync(join(dirname(mainEntry), 'config.schema.json'), 'utf8'));
  expect(schema.properties.mcpServers.additionalProperties.anyOf[0].properties).toHaveProperty('command');
  expect(schema.properties.providers.properties).toHaveProperty('anthropic');
});

it('a config file that is named and does not exist is an error, except where it is to be created', async () => {
  const home = tempDir();
  const config = join(home, 'missing.json');
  const end = await runCli(['status', '--config', config], { home });
  expect([end.code, end.stderr]).toEqual([3, expect.stringContaining(`There is no config file ${config}.`)]);
  const doctor = (await runCli(['doctor', '--json', '--config', config], { home })).json();
  expect(doctor.checks).toContainEqual(
    expect.objectContaining({ name: 'config file', status: 'warn', detail: expect.stringContaining('missing.json') }),
  );
  writeFileSync(join(home, '.mcp.json'), '{"mcpServers": {"one": {"command": "one"}}}');
  expect((await runCli(['servers', 'import', '.mcp.json', '--config', config], { home })).code).toBe(0);
  expect(JSON.parse(readFileSync(config, 'utf8')).mcpServers).toEqual({ one: { command: 'one' } });
});
