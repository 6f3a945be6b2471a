import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigFile } from '../../../src/base/config-file.js';
import { readConfig } from '../../../src/config.js';
import { type JobRequest, submitJob } from '../../../src/services/submit-job.js';
import { type Background, background, session } from '../../runner/fixtures/background.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';
import { tempDir } from '../../support/temp-dir.js';
import { testRuntime } from '../../support/test-runtime.js';

type Commands = NonNullable<ConfigFile['commands']>;

const node = (code: string, more: Partial<Commands[string]> = {}): Commands[string] => ({
  program: process.execPath,
  args: ['-e', code],
  ...more,
});

const commandBackground = (commands: Commands, env: Record<string, string> = {}) =>
  background({ config: { commands }, env });

async function run(runtime: Background, payload: JobRequest['payload'], more: Partial<JobRequest> = {}) {
  const { job } = await submitJob({ type: 'command', payload, ...more }, session, runtime);
  return job.id;
}

it('a pattern of allowArgs that takes for ever refuses the arguments, and holds up nobody', async () => {
  const commands: Commands = { tag: { program: 'git', allowArgs: ['(a+)+'] } };
  const runtime = await commandBackground(commands);
  const startedAt = performance.now();
  const args = Array.from({ length: 200 }, () => `${'a'.repeat(40)}!`);
  await expect(run(runtime, { command: 'tag', args })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('take longer than 250 ms for this argument'),
  });
  // Each of the 200 would take its 250 ms.
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});

describe('a command of the config file', () => {
  it('is run with its fixed arguments and its input, and its stdout is the result', async () => {
    const upper = node('process.stdin.on("data", (d) => process.stdout.write(String(d).toUpperCase()))');
    const runtime = await commandBackground({ upper });
    const job = await runtime.ended(await run(runtime, { command: 'upper', input: 'grüße' }));
    expect(job).toMatchObject({
      status: 'completed',
      result: { command: 'upper', exit_code: 0, stdout: 'GRÜSSE', truncated: false },
    });
  });

  it('gets its arguments unchanged, because there is no shell', async () => {
    const echo = node('process.stdout.write(JSON.stringify(process.argv.slice(1)))', { allowArgs: true });
    const runtime = await commandBackground({ echo });
    const args = ['$(touch x)', '; rm -rf .', '*', "it's", ''];
    const job = await runtime.ended(await run(runtime, { command: 'echo', args }));
    expect(JSON.parse((job.result as { stdout: string }).stdout)).toEqual(args);
  });

  it('runs where the config file says, with the ordinary variables and those that it names, and no key of a model', async () => {
    const home = tempDir();
    mkdirSync(join(home, '.claude', 'work'), { recursive: true });
    const show = node('process.stdout.write(JSON.stringify([process.cwd(), process.env]))', {
      cwd: './work',
      env: ['DEPLOY_TOKEN'],
    });
    const runtime = await background({
      home,
      config: { commands: { show } },
      env: { DEPLOY_TOKEN: 'deploy-secret-1' },
    });
    const job = await runtime.ended(await run(runtime, { command: 'show' }));
    const [cwd, env] = JSON.parse((job.result as { stdout: string }).stdout);
    expect(cwd).toBe(join(home, '.claude', 'work'));
    expect(env).toMatchObject({ HOME: home, DEPLOY_TOKEN: 'deploy-secret-1', AGENT_RUNTIME_DEPTH: '1' });
    expect(JSON.stringify(env)).not.toContain('sk-ant');
  });

  it('is streamed, its stdout as output and its stderr into the log', async () => {
    const talk = node(
      'process.stderr.write("first line\\nsecond"); process.stdout.write("so far"); setTimeout(() => {}, 60_000)',
    );
    const runtime = await commandBackground({ talk });
    const id = await run(runtime, { command: 'talk' });
    await eventually('its output is seen', async () => (await runtime.jobs.output(id)) === 'so far');
    await eventually('its log is seen', async () => (await runtime.jobs.logs(id, 5)).length > 0);
    expect((await runtime.jobs.logs(id, 5)).map(({ message }) => message)).toEqual(['first line']);
    await runtime.jobs.cancel(id, session);
    expect((await runtime.jobs.logs(id, 5)).map(({ message }) => message)).toEqual(['first line', 'second']);
  });

  it('fails with its exit code and the end of its stderr', async () => {
    const runtime = await commandBackground({ bad: node('console.error("no such table"); process.exit(3)') });
    const job = await runtime.ended(await run(runtime, { command: 'bad' }));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'command_failed', attempt: 1 });
    expect(job.errorMessage).toBe('The command bad failed with exit code 3. Its stderr ended with: "no such table"');
  });

  it('has its output capped, at a whole character, and the job says so', async () => {
    const long = node('process.stdout.write("ä".repeat(100_000))', { maxOutputBytes: 1_001 });
    const runtime = await commandBackground({ long });
    const job = await runtime.ended(await run(runtime, { command: 'long' }));
    expect(job.result).toMatchObject({ stdout: 'ä'.repeat(500), truncated: true });
    expect(job.warnings).toEqual(['long printed more than 1001 bytes; the rest was dropped.']);
  });

  it('is ended with its whole process group on timeout, although it ignores SIGTERM', async () => {
    const home = tempDir();
    const pids = join(home, 'pids');
    const stubborn: Commands[string] = {
      program: 'sh',
      args: ['-c', `trap "" TERM; sleep 300 & echo "$$ $!" > ${pids}; wait; sleep 300`],
      timeoutSeconds: 4,
    };
    const runtime = await background({ home, config: { commands: { stubborn } } });
    const job = await runtime.ended(await run(runtime, { command: 'stubborn' }));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'timeout', attempt: 1 });
    expect(job.errorMessage).toContain('took longer than its 4 s and was ended');
    await expectGone(pids);
  });

  it('is ended with its whole process group when it is cancelled', async () => {
    const home = tempDir();
    const pids = join(home, 'pids');
    const long: Commands[string] = { program: 'sh', args: ['-c', `sleep 300 & echo "$$ $!" > ${pids}; wait`] };
    const runtime = await background({ home, config: { commands: { long } } });
    const id = await run(runtime, { command: 'long' });
    await eventually('it has begun', () => readPids(pids).length === 2);
    expect((await runtime.jobs.cancel(id, session)).status).toBe('cancelled');
    await expectGone(pids);
  });

  it('that cannot be started fails with the program and the directory', async () => {
    const runtime = await commandBackground({ none: { program: './is-not-there' } });
    const job = await runtime.ended(await run(runtime, { command: 'none' }));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'cannot_start' });
    expect(job.errorMessage).toMatch(/is-not-there, in .*ENOENT/);
  });

  it('is run only by runners whose config file allows it', async () => {
    const home = tempDir();
    const runtime = await background({ home, config: { commands: { ours: node('') } } });
    const without = await background({ home, env: { AGENT_RUNTIME_CONFIG: '/dev/null' } });
    const { job } = await submitJob({ type: 'command', payload: { command: 'ours' } }, session, {
      ...runtime,
      jobs: without.jobs,
    });
    expect((await without.ended(await without.give('generic'))).status).toBe('completed');
    await without.idle();
    expect((await runtime.jobs.get(job.id)).status).toBe('pending');
    await runtime.jobs.sweep(session);
    expect((await runtime.ended(job.id)).status).toBe('completed');
  });
});

describe('at submission', () => {
  it('with no command allowed, the config to write is shown', async () => {
    const { agents, config } = await testRuntime();
    await expect(agents.check('command', { command: 'backup' })).rejects.toThrow(
      expect.objectContaining({
        code: 'not_configured',
        message: 'The config file allows no command "backup".',
        hint: expect.stringMatching(new RegExp(`"commands":\\{"backup":.*"program".* to ${config.configPath}`)),
      }),
    );
  });

  it('with no command allowed, names such as constructor are unknown too', async () => {
    const { agents } = await testRuntime();
    await expect(agents.check('command', { command: 'constructor' })).rejects.toMatchObject({ code: 'not_configured' });
    await expect(agents.check('constructor', {})).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    [{ command: 'rm' }, /allows no such command\. It allows: list, tag/],
    [{ command: 'list', args: ['-la'] }, /allows this command no arguments/],
    [{ command: 'tag', args: ['v1.2', 'x; v1.2'] }, /args\[1\].*only arguments that match v\\d\+\\\.\\d\+/s],
    [{ command: 'tag', args: ['v1.2\nrm'] }, /only arguments that match/],
    [{ command: 'list', shell: true }, /Unrecognized key/],
    [{ command: 'list', args: ['a\0b'] }, /null character/],
  ])('what the config file does not allow is refused: %j', async (payload, message) => {
    const home = tempDir();
    mkdirSync(join(home, '.claude'));
    const commands: Commands = { list: { program: 'ls' }, tag: { program: 'git', allowArgs: ['v\\d+\\.\\d+'] } };
    writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ commands }));
    const { agents } = await testRuntime({ home });
    await expect(agents.check('command', payload)).rejects.toThrow(expect.objectContaining({ code: 'invalid' }));
    await expect(agents.check('command', payload)).rejects.toThrow(message);
  });

  it.each([
    [{ commands: { a: { program: 'ls', shell: true } } }, /shell/],
    [{ commands: { a: {} } }, /program/],
    [{ commands: { 'a b': { program: 'ls' } } }, /commands/],
    [{ commands: { a: { program: 'ls', allowArgs: ['('] } } }, /not a regular expression/],
    [{ agents: 'one.mjs' }, /agents/],
    [{ agent: ['one.mjs'] }, /agent/],
  ])('a config file that is wrong is refused, naming the key: %j', (content, message) => {
    const path = join(tempDir(), 'config.json');
    writeFileSync(path, JSON.stringify(content));
    expect(() => readConfig({ config: path }, {})).toThrow(message);
  });
});

function readPids(path: string): number[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
}

async function expectGone(path: string): Promise<void> {
  const pids = readPids(path);
  expect(pids).toHaveLength(2);
  await eventually('its whole group is gone', () => pids.every((pid) => !isAlive(pid)));
}
