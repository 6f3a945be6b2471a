import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { homeWithModules, plainAgent } from '../../agents/modules/workshop.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const run = promisify(execFile);

describe('agents new', () => {
  it.each([
    ['TypeScript', ['--ts'], 'word-count.ts'],
    ['JavaScript', [], 'word-count.mjs'],
  ])('writes a module in %s that works as it is, with a test that passes', async (_, more, file) => {
    const home = tempDir();
    const made = await runCli(['agents', 'new', 'word-count', ...more, '--json'], { home });
    const { module, test, config } = made.json();
    expect([module, config]).toEqual([
      join(home, '.claude', 'agents', file),
      join(home, '.claude', 'agent_runtime.json'),
    ]);
    expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({ agents: [`./agents/${file}`] });
    await run(process.execPath, ['--test', test], { env: { HOME: home, PATH: '/usr/bin:/bin' } });
    const job = await runCli(['submit', '--type', 'word_count', '--payload', '{"text": "a b a"}', '--wait', '--json'], {
      home,
    });
    expect(job.json()).toMatchObject({ status: 'completed', result: { words: 3, different: 2 } });
  });

  it('replaces no file, keeps what the config file says, and refuses what is no type', async () => {
    const home = homeWithModules({ 'mine.mjs': plainAgent('mine') });
    const config = join(home, '.claude', 'agent_runtime.json');
    writeFileSync(config, '{\n  // ours\n  "agents": ["./mine.mjs"]\n}\n');
    expect((await runCli(['agents', 'new', 'more'], { home })).code).toBe(0);
    expect(readFileSync(config, 'utf8')).toMatch(
      /\/\/ ours\n {2}"agents": \[\s*"\.\/mine\.mjs",\s*"\.\/agents\/more\.mjs"\s*\]/,
    );
    const again = await runCli(['agents', 'new', 'more'], { home });
    expect([again.code, again.stderr]).toEqual([4, expect.stringContaining('agents/more.mjs exists already.')]);
    expect((await runCli(['agents', 'new', 'generic'], { home })).stderr).toContain('The type generic is built in.');
    expect((await runCli(['agents', 'new', 'No Type'], { home })).code).toBe(2);
    expect(existsSync(join(home, '.claude', 'agents', 'generic.mjs'))).toBe(false);
  });
});

describe('agents test', () => {
  const busy = plainAgent(
    'busy',
    `context.progress(0.5, 'half'); context.log('info', 'begun', { token: process.env.SOME_CREDIT });
     context.output('text '); context.warn('careful'); console.log('printed');
     await context.saveArtifact('a.txt', 'abc'); return { got: job.payload, attempt: job.attempt };`,
  );

  it('runs an agent once and has all that it says, without a job and without a database', async () => {
    const home = homeWithModules({ 'busy.mjs': busy }, { agents: [{ module: './busy.mjs', env: ['SOME_CREDIT'] }] });
    const env = { SOME_CREDIT: 'a-token-of-the-author' };
    const payload = join(home, 'payload.json');
    writeFileSync(payload, '{"n": 1}');
    const ended = await runCli(['agents', 'test', 'busy', '--payload', payload], { home, env });
    expect(ended.code).toBe(0);
    expect(ended.json()).toEqual({
      type: 'busy',
      module: join(home, '.claude', 'busy.mjs'),
      status: 'completed',
      result: { got: { n: 1 }, attempt: 1 },
      progress: 0.5,
      output: 'text ',
      warnings: ['careful'],
      logs: [{ level: 'info', message: 'begun', fields: { token: '[redacted]' } }],
      artifacts: [expect.objectContaining({ name: 'a.txt', sizeBytes: 3 })],
    });
    expect(ended.stderr).toContain('printed');
    expect(existsSync(join(home, '.claude', 'agent_runtime.db'))).toBe(false);
  });

  it.each([
    ['throws', 'null.x;', /^internal$/, /^TypeError: Cannot read.*null/, /bad\.mjs:\d+:\d+/],
    [
      'throws later',
      "setTimeout(() => { throw new Error('late'); }, 20); return 1;",
      /^internal$/,
      /^Uncaught error: late/,
      /bad\.mjs/,
    ],
    ['returns what JSON cannot hold', 'return { n: 1n };', /^invalid_output$/, /n is a bigint/, undefined],
    [
      'takes too long',
      'await new Promise((done) => context.signal.addEventListener("abort", done)); throw new Error("x");',
      /^timeout$/,
      /longer/,
      undefined,
    ],
  ])('of one that %s fails, with what and where', async (_, body, code, message, stack) => {
    const home = homeWithModules({ 'bad.mjs': plainAgent('bad', body, 'timeoutSeconds: 5,') });
    const ended = await runCli(['agents', 'test', join(home, '.claude', 'bad.mjs'), '--payload', '{}'], { home });
    expect(ended.code).toBe(1);
    const { status, error } = ended.json();
    expect(status).toBe('failed');
    expect(error.code).toMatch(code);
    expect(error.message).toMatch(message);
    if (stack) expect(error.stack).toMatch(stack);
  });

  it('of a module that cannot be used, or is not there, says why', async () => {
    const home = homeWithModules({ 'good.mjs': plainAgent('good'), 'bad.mjs': 'export default 1;' });
    const wrong = await runCli(['agents', 'test', join(home, '.claude', 'bad.mjs'), '--payload', '{}'], { home });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('its default export is 1')]);
    const missing = await runCli(['agents', 'test', 'other', '--payload', '{}'], { home });
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('There are good;')]);
  });
});
