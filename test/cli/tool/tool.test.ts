import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseTools } from '../../../src/tools/index.js';
import { connectServer } from '../../support/mcp-client.js';
import { tempDir } from '../../support/temp-dir.js';
import { hasTerminal, textInTerminal } from '../in-terminal.js';
import { type CliOptions, runCli, startCli } from '../run-cli.js';

it.skipIf(!hasTerminal)('lists every tool with its title under its toolset', async () => {
  const stdout = await textInTerminal(['tool', '--list'], { home: tempDir() });
  for (const { name, title } of chooseTools({ toolsets: 'all', isReadOnly: false })) {
    expect(stdout).toMatch(new RegExp(`^ {2}${name} +${title}$`, 'm'));
  }
  expect(stdout.indexOf('goals')).toBeLessThan(stdout.indexOf('background'));
});

it('lists the same as one JSON document for programs', async () => {
  const { json, stderr } = await runCli(['tool', '--list'], { home: tempDir() });
  const all = chooseTools({ toolsets: 'all', isReadOnly: false });
  const { tools, count } = json();
  expect(count).toBe(all.length);
  expect(tools.map((tool: { name: string }) => tool.name)).toEqual(all.map((tool) => tool.name));
  expect(tools[0]).toMatchObject({ toolset: 'goals', effect: 'write' });
  expect(stderr).toBe('');
});

it('lists only what is switched on', async () => {
  const home = tempDir();
  const byFlags = await runCli(['tool', '--list', '--json', '--toolsets', 'background', '--read-only'], { home });
  const expected = chooseTools({ toolsets: 'background', isReadOnly: true }).map((tool) => tool.name);
  expect(byFlags.json().tools.map((tool: { name: string }) => tool.name)).toEqual(expected);
  const byEnvironment = await runCli(['tool', '--list', '--json'], {
    home,
    env: { AGENT_RUNTIME_TOOLSETS: 'background', AGENT_RUNTIME_READ_ONLY: '1' },
  });
  expect(byEnvironment.stdout).toBe(byFlags.stdout);
  const unknown = await runCli(['tool', '--list', '--toolsets', 'golas'], { home });
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('There is no toolset "golas".');
});

function shell(home = tempDir(), options: Omit<CliOptions, 'home'> = {}) {
  const run = (args: string[], more: Omit<CliOptions, 'home'> = {}) => runCli(args, { home, ...options, ...more });
  return {
    home,
    run,
    /** Calls a tool that must succeed; resolves to its result. */
    async ok(name: string, ...args: string[]) {
      const end = await run(['tool', name, ...args, '--json']);
      expect([end.code, end.stderr]).toEqual([0, '']);
      return end.json();
    },
  };
}

it('calls a tool with its arguments converted, and prints exactly its result as one JSON document', async () => {
  const { ok, run } = shell();
  const goal = await ok(
    'create_goal',
    '--arg',
    'name=Größe 漢字',
    '--arg',
    'description=12',
    '-a',
    'metadata.owner=ann',
  );
  expect(goal).toMatchObject({ id: 1, name: 'Größe 漢字', description: '12', metadata: { owner: 'ann' } });
  await ok('create_task', '--arg', 'title=first', '--arg', 'goal_id=1', '--arg', 'key=one');
  await ok('create_task', '--arg', 'title=second', '--arg', 'priority=8');
  const third = await ok('create_task', '--arg', 'title=3', '--arg', 'dependencies=one', '--arg', 'dependencies=2');
  expect(third).toMatchObject({ title: '3', dependencies: [1, 2] });
  expect(await ok('get_task', '--arg', 'task_id=3')).toMatchObject({ id: 3, title: '3' });
  expect(await ok('get_task', '--arg', 'task_id=one')).toMatchObject({ id: 1 });

  const text = await run(['tool', 'get_task', '--arg', 'task_id=3']);
  expect(JSON.parse(text.stdout)).toMatchObject({ id: 3 });
  expect(text.stderr).toBe('');
});

it.skipIf(!hasTerminal)('prints the text of a tool that has its own text form in a terminal', async () => {
  const { home } = shell();
  expect(await textInTerminal(['tool', 'list_background_tasks'], { home })).toBe('No tasks found\n');
});

it('reads all arguments from JSON: inline, from a file, from stdin, which --arg overrides', async () => {
  const { ok, run, home } = shell();
  const inline = await ok('create_task', '--input', '{"title":"inline","metadata":{"n":1}}');
  expect(inline).toMatchObject({ title: 'inline', metadata: { n: 1 } });
  writeFileSync(
    join(home, 'tasks.json'),
    JSON.stringify({
      tasks: [
        { title: 'a', key: 'a' },
        { title: 'b', dependencies: ['a'] },
      ],
    }),
  );
  expect(await ok('create_tasks', '--input', '@tasks.json')).toMatchObject({ count: 2 });
  const piped = await run(['tool', 'create_task', '--input', '-', '--arg', 'priority=9', '--json'], {
    stdin: JSON.stringify({ title: 'piped', priority: 1, description: 'd'.repeat(90_000) }),
  });
  expect(piped.json()).toMatchObject({ title: 'piped', priority: 9 });
  const endless = await run(['tool', 'create_task', '--input', '-'], { stdin: 'x'.repeat(33_554_433) });
  expect(endless).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--input - has more than 33554432 bytes.'),
  });
});

it.each([
  [['--input', '{"title":'], '--input is not JSON'],
  [['--input', '["title"]'], '--input is JSON, but not an object'],
  [['--input', '@nowhere.json'], '--input cannot be read'],
  [['--input', '-'], '--input is not JSON'],
  [['--input', '@/dev/zero'], '--input @/dev/zero has more than 33554432 bytes.'],
  [
    ['--arg', 'title=x', '--arg', 'colour=red'],
    'Unknown argument "colour" of create_task (got "red"). It takes: title',
  ],
  [['--arg', 'title=x', '--arg', 'priority=eleven'], 'priority: expected whole number, 1 to 10, got "eleven"'],
  [['--arg', 'title=x', '--arg', 'priority=11'], 'priority'],
  [['--arg', 'title=x', '--arg', 'priority=1.5'], 'priority'],
  [[], 'title'],
  [['--arg', 'title'], 'is not a key=value pair'],
  [['title=x'], 'Write --arg "title=x".'],
  [['--arg', `title=${'x'.repeat(100_000)}`], 'title'],
  [['--arg', 'title=x', '--arg', 'metadata=[1]'], 'metadata: expected JSON object'],
])('refuses %.60j as wrong usage before the database is opened', async (args, message) => {
  const { run, home } = shell();
  const { code, stdout, stderr } = await run(['tool', 'create_task', ...args]);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
  expect(stderr.length).toBeLessThan(1_000);
  expect(existsSync(join(home, '.claude'))).toBe(false);
});

it('suggests a tool for an unknown name, and says why a tool is switched off', async () => {
  const { run } = shell();
  const typo = await run(['tool', 'creat_task', '--json']);
  expect(typo.code).toBe(2);
  expect(typo.json().error).toMatchObject({ code: 'invalid', message: 'There is no tool "creat_task".' });
  expect(typo.json().error.hint).toContain('create_task');
  expect((await run(['tool', 'frobnicate'])).stderr).toContain('agent-runtime tool --list');
  expect((await run(['tool'])).stderr).toContain('No tool is named.');
  const readOnly = await run(['tool', 'create_task', '--arg', 'title=x', '--read-only']);
  expect([readOnly.code, readOnly.stderr.includes('Leave out --read-only')]).toEqual([2, true]);
  const otherSet = await run(['tool', 'create_task', '--arg', 'title=x', '--toolsets', 'background']);
  expect([otherSet.code, otherSet.stderr.includes('--toolsets all')]).toEqual([2, true]);
});

it('gives each kind of failure its exit code, on stderr or as JSON on stdout', async () => {
  const { run, ok } = shell();
  const unknown = await run(['tool', 'get_task', '--arg', 'task_id=12']);
  expect([unknown.code, unknown.stdout]).toEqual([3, '']);
  expect(unknown.stderr).toMatch(/^error: .*12.*\nhint: .*\n$/);

  const asJson = await run(['tool', 'get_task', '--arg', 'task_id=12', '--json']);
  expect([asJson.code, asJson.stderr]).toEqual([3, '']);
  expect(asJson.json()).toEqual({
    error: { code: 'not_found', message: expect.any(String), hint: expect.any(String) },
  });

  await ok('create_task', '--arg', 'title=a', '--arg', 'key=a');
  const twice = await run(['tool', 'create_task', '--arg', 'title=b', '--arg', 'key=a']);
  expect(twice.code).toBe(4);
  await ok('create_task', '--arg', 'title=b', '--arg', 'dependencies=a');
  const cycle = await run(['tool', 'edit_task', '--arg', 'task_id=a', '--arg', 'dependencies=2']);
  expect(cycle.code).toBe(4);
  const noModel = await run(['tool', 'submit_background_task', '--arg', 'task_description=hi']);
  expect(noModel.code).toBe(1);
  expect(noModel.stderr).toContain('ANTHROPIC_API_KEY');
});

it("acts for the client's session in the client's shell, and for no session elsewhere", async () => {
  const home = tempDir();
  const inside = shell(home, { env: { CLAUDE_CODE_SESSION_ID: 's1', CLAUDE_PROJECT_DIR: '/p' } });
  const outside = shell(home);
  const { id, project } = await inside.ok('create_goal', '--arg', 'name=g', '--arg', 'description=d');
  expect(project).toBe('/p');
  await inside.ok('create_task', '--arg', 'title=mine', '--arg', `goal_id=${id}`);
  await inside.ok('claim_next_task');
  const stolen = await outside.run(['tool', 'update_task_status', '--arg', 'task_id=1', '--arg', 'status=in_progress']);
  expect(stolen.code).toBe(4);
  expect(stolen.stderr).toContain('claude:s1');
  expect(await inside.ok('update_task_status', '--arg', 'task_id=1', '--arg', 'status=completed')).toMatchObject({
    status: 'completed',
  });

  await outside.ok('create_task', '--arg', 'title=loose');
  const loose = await outside.ok('claim_next_task');
  const done = ['--arg', `task_id=${loose.id}`, '--arg', 'status=completed'];
  expect((await outside.run(['tool', 'update_task_status', ...done])).code).toBe(4);
  await outside.ok('update_task_status', ...done, '--arg', `claim_token=${loose.claim_token}`);
});

it('shares the database with a server that runs', async () => {
  const { home, ok } = shell();
  const server = await connectServer({ home });
  await server.ok('create_goal', { name: 'from the server', description: 'd' });
  expect((await ok('list_goals')).goals).toMatchObject([{ name: 'from the server' }]);
  await ok('create_goal', '--arg', 'name=from the shell', '--arg', 'description=d');
  expect((await server.ok('list_goals')).count).toBe(2);
});

it('ends in an orderly way on Ctrl-C, with the exit code of the signal', async () => {
  const { home, ok } = shell();
  // Not due for a long time: nothing but the command under test has the database open.
  const later = ['--arg', 'run_at=2099-01-01T00:00:00Z', '--arg', 'type=generic', '--input', '{"payload":{}}'];
  const { job_id } = await ok('submit_job', ...later);
  const args = ['tool', 'wait_for_tasks', '--arg', `task_ids=${job_id}`, '--arg', 'timeout_seconds=50', '--json'];
  const { child, ended } = startCli(args, { home });
  await expect.poll(() => existsSync(join(home, '.claude/agent_runtime.db-wal'))).toBe(true);
  child.kill('SIGINT');
  const { code, stderr, json } = await ended;
  expect([code, stderr]).toEqual([130, 'Stopping on SIGINT; once more ends it at once.\n']);
  expect(json()).toMatchObject({ done: false, tasks: [{ task_id: job_id, status: 'pending' }] });
});

it('says which file is wrong when the config, or the database, is broken', async () => {
  const { home, run } = shell();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude/agent_runtime.json'), '{"modle": "opus"}');
  const badKey = await run(['tool', 'list_tasks']);
  expect([badKey.code, badKey.stdout]).toEqual([2, '']);
  expect(badKey.stderr).toContain('agent_runtime.json');
  expect(badKey.stderr).toContain('modle');

  writeFileSync(join(home, 'not-a.db'), 'x'.repeat(5_000));
  const damaged = await run(['tool', 'list_tasks', '--config', '/dev/null', '--db', 'not-a.db', '--json']);
  expect(damaged.code).toBe(1);
  expect(damaged.json().error).toMatchObject({ code: 'unavailable' });
  expect(damaged.json().error.message).toContain('not-a.db');
});

describe('the result of a tool', () => {
  it.skipIf(!hasTerminal)('is text in a terminal, with tables for lists and hints for a shell', async () => {
    const { home, run } = shell();
    await run([
      'tool',
      'create_tasks',
      '--input',
      '{"tasks": [{"title": "Write"}, {"title": "Read it\\n", "key": "r"}]}',
    ]);
    const list = await textInTerminal(['tool', 'list_tasks'], { home });
    expect(list).toMatch(/^tasks\n +ID +KEY +TITLE +STATUS/);
    expect(list).toMatch(/\n {3}2 {2}r {4}Read it +pending/);
    expect(list).toMatch(/\ncount {2}2\n/);
    const task = await textInTerminal(['tool', 'get_task', '--arg', 'task_id=1'], { home });
    expect(task).toMatch(/^id +1\n/);
    expect(task).toMatch(/\ntitle +Write\n/);
    expect(task).not.toContain('{');
    const status = await textInTerminal(['tool', 'runtime_status'], { home });
    expect(status).toMatch(/next +.*`agent-runtime /);
  });

  it('is JSON in a pipe, also where a model gets text', async () => {
    const { run } = shell();
    const submitted = await run(['tool', 'submit_job', '--input', '{"type": "generic", "payload": {}}']);
    const { job_id } = submitted.json();
    const status = await run(['tool', 'check_task_status', '--arg', `task_id=${job_id}`]);
    expect(status.json()).toMatchObject({ task_id: job_id });
  });

  it('comes from no database that a mistyped name has created', async () => {
    const { home, run } = shell();
    const end = await run(['tool', 'list_tasks', '--db', 'typo.db']);
    expect([end.code, end.stderr]).toEqual([
      3,
      expect.stringContaining(`There is no database ${join(home, 'typo.db')}.`),
    ]);
    for (const list of [
      ['token', 'list'],
      ['servers', 'list'],
    ]) {
      expect((await run([...list, '--db', 'typo.db'])).code).toBe(3);
      expect(Object.values((await run(list)).json())[0]).toEqual([]);
    }
    expect(readdirSync(home)).not.toContain('typo.db');
    expect(existsSync(join(home, '.claude/agent_runtime.db'))).toBe(false);
  });
});
