import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { jobStoreOf } from '../support/job-store.js';
import { tempDir } from '../support/temp-dir.js';
import { background, scripted, session } from './fixtures/background.js';

/** Something that is answered when the test lets it go. */
const held = scripted({ isHeld: true });

describe('work goes on when the session that gave it is gone', () => {
  it('a job is completed, and its result read by the next session', async () => {
    const first = await background();
    const id = await first.ask(held);
    first.close();
    const next = await background({ home: first.home });
    first.server.letGo();
    expect((await next.ended(id)).status).toBe('completed');
    expect(await next.jobs.output(id)).toContain('You said: Say hello.');
  });

  it('its runner waits for the next try by itself', async () => {
    const runtime = await background();
    runtime.server.script.push({ status: 500 });
    const job = await runtime.ended(await runtime.ask('Hello'));
    expect(job).toMatchObject({ status: 'completed', attempt: 2 });
    expect(await runtime.events(job.id)).toEqual(['submitted', 'started', 'retrying', 'started', 'completed']);
  });

  it('a job that is due later is waited for', async () => {
    const runtime = await background();
    const dueAt = Date.now() + 800;
    const id = await runtime.give('generic', {}, { runAt: dueAt });
    const job = await runtime.ended(id);
    expect(job.startedAt).toBeGreaterThanOrEqual(dueAt);
    // The next sweep would come after 15 s.
    expect((job.startedAt ?? 0) - dueAt).toBeLessThan(12_000);
  });

  it('jobs that become ready at once are worked on side by side', async () => {
    const runtime = await background();
    const first = await runtime.ask(held);
    const others = [];
    for (let count = 0; count < 3; count++)
      others.push(await runtime.ask(scripted({ together: 3 }), { depends_on: [first] }));
    runtime.server.letGo();
    for (const id of others) expect((await runtime.ended(id)).status).toBe('completed');
    const jobs = await Promise.all(others.map((id) => runtime.jobs.get(id)));
    const lastStart = Math.max(...jobs.map(({ startedAt }) => startedAt ?? 0));
    const firstEnd = Math.min(...jobs.map(({ completedAt }) => completedAt ?? 0));
    expect(lastStart).toBeLessThan(firstEnd);
    // The runners that a runner has started have its keys.
    expect(runtime.server.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array(4).fill('Bearer sk-ant-test-key-0001'),
    );
  });
});

it('no more jobs run at once than the limit allows, over all sessions', async () => {
  const env = { AGENT_RUNTIME_MAX_RUNNING_JOBS: '2' };
  const one = await background({ env });
  const two = await background({ home: one.home, env: { ...env, ANTHROPIC_BASE_URL: one.server.url } });
  const ids = [];
  for (let count = 0; count < 8; count++) ids.push(await (count % 2 === 0 ? one : two).ask(held));
  let most = 0;
  const statuses = async () => {
    const rows = await one.db.all<{ status: string }>('select status from jobs');
    most = Math.max(most, rows.filter(({ status }) => status === 'running').length);
    return rows.map(({ status }) => status);
  };
  await eventually('two are asked for', () => one.server.requests.length === 2);
  for (const runtime of [one, two]) await runtime.jobs.sweep(session);
  expect((await statuses()).sort()).toEqual([...Array(6).fill('pending'), 'running', 'running']);
  one.server.letGo();
  await eventually('all jobs have ended', async () => (await statuses()).every((status) => status === 'completed'));
  expect(most).toBe(2);
  expect(one.server.requests).toHaveLength(8);
});

it('a runner drains the queue in the order of urgency and leaves', async () => {
  const runtime = await background({ env: { AGENT_RUNTIME_MAX_RUNNING_JOBS: '1' } });
  const first = await runtime.ask(held, { priority: 1 });
  await runtime.runnerOf(first);
  for (const priority of [3, 9, 6]) await runtime.ask(`Number ${priority}`, { priority });
  runtime.server.letGo();
  await runtime.idle();
  const prompts = runtime.server.requests.map(({ prompt }) => prompt).slice(1);
  expect(prompts).toEqual(['Number 9', 'Number 6', 'Number 3']);
  expect(await runtime.runners()).toHaveLength(1);
});

it('what arrives can be read before the answer is complete, and how far it is', async () => {
  const runtime = await background();
  const pieces = ['The ', 'answer ', 'comes ', 'slowly.'];
  const id = await runtime.ask(scripted({ pieces, heldAt: 2 }));
  const partial = await eventually('a part of the answer is there', () => runtime.jobs.output(id));
  expect(pieces.join('').startsWith(partial)).toBe(true);
  expect(partial.length).toBeLessThan(pieces.join('').length);
  runtime.server.letGo();
  await runtime.ended(id);
  expect(await runtime.jobs.output(id)).toBe(pieces.join(''));
});

describe('a runner is given nothing that is not its business', () => {
  it('its arguments hold no prompt and no key, its environment no secret of others', async () => {
    const home = tempDir();
    const record = join(home, 'seen.json');
    const provider = join(home, 'spy.mjs');
    writeFileSync(
      provider,
      `import { readFileSync, writeFileSync } from 'node:fs';
       export default { async complete() {
         const argv = readFileSync('/proc/self/cmdline', 'utf8').split('\\0');
         const initial = readFileSync('/proc/self/environ', 'utf8').split('\\0');
         writeFileSync(${JSON.stringify(record)}, JSON.stringify({ argv, initial, env: process.env }));
         return { text: 'seen' };
       } };`,
    );
    const runtime = await background({
      home,
      config: { providers: { custom: { spy: provider } } },
      env: {
        CLAUDECODE: '1',
        CLAUDE_CODE_SESSION_ID: 'abc',
        CLAUDE_PROJECT_DIR: '/somewhere',
        CLAUDE_CONFIG_DIR: '/login',
        AWS_SECRET_ACCESS_KEY: 'someone-elses-secret',
        GITHUB_TOKEN: 'ghp_0123456789abcdef',
        NODE_OPTIONS: '--max-http-header-size=20000',
      },
    });
    const id = await runtime.ask('A prompt that nobody may read in a list of processes', { model: 'custom:spy' });
    expect((await runtime.ended(id)).status).toBe('completed');
    const { argv, initial, env } = JSON.parse(readFileSync(record, 'utf8')) as {
      argv: string[];
      initial: string[];
      env: Record<string, string>;
    };
    expect(argv.slice(1, -1)).toEqual([
      '--max-old-space-size=2048',
      '--max-semi-space-size=4',
      '--report-on-fatalerror',
      expect.stringMatching(/^--report-directory=.*logs$/),
      expect.stringMatching(/^--report-filename=[0-9a-f-]+\.json$/),
      expect.stringContaining('job-runner.js'),
      expect.stringMatching(/^[0-9a-f-]+$/),
    ]);
    const names = initial.map((line) => line.split('=')[0] ?? '').filter((name) => name.startsWith('CLAUDE'));
    expect(names).toEqual(['CLAUDE_CONFIG_DIR']);
    expect(initial.join('\n')).not.toContain('someone-elses-secret');
    expect(initial.join('\n')).not.toContain('ghp_');
    expect(initial.join('\n')).not.toContain('NODE_OPTIONS');
    // What the code in it and its own children see is without the key as well.
    expect(env).not.toHaveProperty('ANTHROPIC_API_KEY');
    expect(env).toMatchObject({ HOME: home, CLAUDE_CONFIG_DIR: '/login', AGENT_RUNTIME_DEPTH: '0' });
  });

  it('its files hold no key, and only their owner can read them', async () => {
    const key = 'sk-ant-grep-for-me-0123456789';
    const runtime = await background({ env: { ANTHROPIC_API_KEY: key } });
    runtime.server.script.push({ status: 401, message: `invalid key ${key}` });
    const job = await runtime.ended(await runtime.ask('Hello'));
    expect(job).toMatchObject({ status: 'failed', errorCode: 'auth' });
    const runners = await runtime.db.all<{ pid: number }>('select pid from runners');
    expect(runners).not.toEqual([]);
    // The last to close the database removes its write-ahead log.
    await eventually('its processes have ended', () => !runners.some(({ pid }) => isAlive(pid)));
    runtime.close();
    const directory = join(runtime.home, '.claude');
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name));
    expect(files.some((file) => file.endsWith('runner.log'))).toBe(true);
    for (const file of files) {
      const { mode } = statSync(file);
      expect(`${file} ${(mode & 0o077).toString(8)}`).toBe(`${file} 0`);
      if (statSync(file).isFile()) expect(readFileSync(file).includes(key)).toBe(false);
    }
  });
});

it('a submission returns at once, and one that cannot be started says so in the log and stays in the queue', async () => {
  const runtime = await background({ entry: '/nowhere/job-runner.js' });
  const id = await runtime.give('generic', {});
  await eventually('the runner has failed to come up', () => runtime.runnerLog().includes('Cannot find module'));
  expect((await runtime.jobs.get(id)).status).toBe('pending');
  expect(await jobStoreOf(runtime).permitRunners(session)).toEqual([]);
});
