import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtime.js';
import { submitJob } from '../../../src/services/submit-job.js';
import { connectServer } from '../../support/mcp-client.js';
import { testRuntime } from '../../support/test-runtime.js';
import { countWords, homeWithModules, plainAgent, writeModule } from './workshop.js';

const session = { holder: 'session:test', project: '' };

async function problemsOf(runtime: Runtime): Promise<Record<string, string>> {
  const { problems } = await runtime.agents.describe();
  return Object.fromEntries(problems.map(({ module, reason }) => [module.split('/').at(-1) ?? '', reason]));
}

describe('a module of the config file', () => {
  it('is described with its limits and its schema, in any directory', async () => {
    const home = homeWithModules({ 'agents/count.mjs': countWords });
    const { agents } = await testRuntime({ home });
    const { agents: found, problems } = await agents.describe('count_words');
    expect(problems).toEqual([]);
    expect(found).toEqual([
      expect.objectContaining({
        type: 'count_words',
        description: 'Counts the words of a text.',
        concurrency: 2,
        timeoutSeconds: 60,
        module: join(home, '.claude', 'agents', 'count.mjs'),
        schema: expect.objectContaining({
          required: ['text'],
          properties: expect.objectContaining({ text: { type: 'string', description: 'Any text.' } }),
        }),
      }),
    ]);
  });

  it('has its payloads checked at submission, with the messages of its own schema', async () => {
    const runtime = await testRuntime({ home: homeWithModules({ 'count.mjs': countWords }) });
    const submit = (payload: Record<string, never>) =>
      submitJob({ type: 'count_words', payload }, session, {
        ...runtime,
        jobs: { submit: () => Promise.reject(new Error('It was submitted.')) },
      });
    await expect(submit({})).rejects.toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: 'The payload is not what count_words takes. text is missing: expected string.',
      }),
    );
    expect(await runtime.jobs.list({ limit: 5 })).toEqual([]);
  });

  it('stores its payload as it was given, because its schema may return what JSON cannot hold', async () => {
    const text = countWords.replace('z.string()', 'z.string().transform((text) => new Set([text]))');
    const { agents } = await testRuntime({ home: homeWithModules({ 'count.mjs': text }) });
    const { payload } = await agents.check('count_words', { text: 'a b' });
    expect(payload).toEqual({ text: 'a b' });
  });

  it('may use any schema library, whose messages are shown, even one without a JSON schema', async () => {
    const picky = plainAgent('picky').replace(
      '({ value })',
      `value.n > 1 ? { value } : { issues: [{ message: 'is too small', path: [{ key: 'n' }] }] }`,
    );
    const { agents } = await testRuntime({ home: homeWithModules({ 'picky.mjs': picky }) });
    expect((await agents.describe('picky')).agents[0]).toMatchObject({
      type: 'picky',
      description: 'An agent of a test.',
    });
    expect((await agents.describe('picky')).agents[0]?.schema).toBeUndefined();
    await expect(agents.check('picky', { n: 1 })).rejects.toThrow(/n is 1: is too small\.$/);
    expect((await agents.check('picky', { n: 2 })).payload).toEqual({ n: 2 });
  });

  it.each([
    ['zod/v3', 'z.number().int().min(1)', undefined],
    ['zod/mini', 'z.number().check(z.gte(1))', { type: 'number', minimum: 1 }],
  ])('may use %s', async (library, number, described) => {
    const text = `import { z } from '${library}'; ${plainAgent('other')}`
      .replace('const anything = {', `const given = z.object({ n: ${number} }); const unused = {`)
      .replace('payload: anything', 'payload: given');
    const { agents } = await testRuntime({ home: homeWithModules({ 'other.mjs': text }) });
    const [agent] = (await agents.describe('other')).agents;
    expect((agent?.schema?.properties as { n: object } | undefined)?.n).toEqual(described);
    await expect(agents.check('other', { n: 0 })).rejects.toThrow(/not what other takes\. n is 0: /);
  });

  it('may export several agents, by any name or in a list', async () => {
    const several = `${plainAgent('first')} export const second = { ...(${'0, '}{}), type: 'second', description: 'd', payload: anything, execute() {} };
      export const more = [{ ...second, type: 'third' }];`;
    const { agents } = await testRuntime({ home: homeWithModules({ 'several.mjs': several }) });
    const { agents: found } = await agents.describe();
    expect(
      found
        .filter(({ module }) => module)
        .map(({ type }) => type)
        .sort(),
    ).toEqual(['first', 'second', 'third']);
  });

  it('is loaded again when its file has changed', async () => {
    const home = homeWithModules({ 'a.mjs': plainAgent('before') });
    const { agents } = await testRuntime({ home });
    await agents.describe('before');
    const path = writeModule(home, 'a.mjs', plainAgent('after'));
    utimesSync(path, new Date(), new Date(Date.now() + 5_000));
    await expect(agents.describe('before')).rejects.toThrow(expect.objectContaining({ code: 'not_found' }));
    expect((await agents.describe('after')).agents).toHaveLength(1);
  });

  it('sees no secrets of the server that loads it', async () => {
    const nosy = plainAgent('nosy').replace("'An agent of a test.'", 'JSON.stringify(process.env)');
    const env = { ANTHROPIC_API_KEY: 'sk-ant-test-key-0001', OTHER_TOKEN: 'another-secret-value' };
    const { agents } = await testRuntime({ home: homeWithModules({ 'nosy.mjs': nosy }), env });
    const { description } = (await agents.describe('nosy')).agents[0] ?? {};
    expect(description).toContain('AGENT_RUNTIME_DB_PATH');
    expect(description).not.toContain('sk-ant');
    expect(description).not.toContain('another-secret');
  });
});

describe('modules that cannot be used', () => {
  const broken = {
    'syntax.mjs': 'export default {',
    'throws.mjs': "throw new TypeError('no luck');",
    'exits.mjs': "console.error('going'); process.exit(3);",
    'nothing.mjs': 'export const a = 1;',
    'import.mjs': "import './is-not-there.mjs';",
    'upper.mjs': plainAgent('Upper-Case'),
    'undescribed.mjs': plainAgent('undescribed').replace("'An agent of a test.'", "''"),
    'old-schema.mjs': plainAgent('old_schema').replace('payload: anything', 'payload: { safeParse() {} }'),
    'limits.mjs': plainAgent('limits', '', 'concurrency: 0,'),
    'clash.mjs': plainAgent('generic'),
    'first.mjs': plainAgent('twice'),
    'second.mjs': plainAgent('twice'),
    'good.mjs': countWords,
  };

  it('are each named with the reason, and affect no other module', async () => {
    const home = homeWithModules(broken, {
      agents: [...Object.keys(broken), 'missing.mjs'].map((name) => `./${name}`),
    });
    const runtime = await testRuntime({ home });
    expect(await problemsOf(runtime)).toEqual({
      'syntax.mjs': expect.stringContaining('SyntaxError'),
      'throws.mjs': expect.stringContaining('TypeError: no luck'),
      'exits.mjs': 'It ended its process with exit code 3 while it was loaded. It printed: "going"',
      'nothing.mjs': expect.stringContaining('exports no agent'),
      'import.mjs': expect.stringContaining('is-not-there.mjs'),
      'upper.mjs': expect.stringContaining('"Upper-Case" whose type is not lower case'),
      'undescribed.mjs': expect.stringContaining('description is missing'),
      'old-schema.mjs': expect.stringContaining('payload is not a schema of zod (3.24 or newer)'),
      'limits.mjs': expect.stringContaining('concurrency is not a whole number'),
      'clash.mjs': 'Its agent has the type generic, which is built in. Give it another.',
      'second.mjs': expect.stringMatching(/the type twice, which .*first\.mjs declares too/),
      'missing.mjs': 'There is no such file.',
    });
    const { agents } = await runtime.agents.describe();
    expect(agents.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['llm', 'generic', 'backtest', 'twice', 'count_words']),
    );
  });

  it('make a submission fail with their reason', async () => {
    const home = homeWithModules({ 'throws.mjs': broken['throws.mjs'] });
    const { agents } = await testRuntime({ home });
    await expect(agents.check('wanted', {})).rejects.toThrow(
      expect.objectContaining({
        code: 'not_found',
        message: expect.stringMatching(/No agent runs jobs of type wanted\. .*throws\.mjs cannot be used: .*no luck/),
      }),
    );
  });

  it('cannot block, end or mislead the server by what they do when they are loaded', async () => {
    const home = homeWithModules({
      'good.mjs': countWords,
      'hangs.mjs': 'for (;;);',
      'waits.mjs': 'await new Promise(() => {});',
      'exits.mjs': 'process.exit(0);',
      'kills.mjs': "process.kill(process.ppid, 0); process.kill(process.pid, 'SIGKILL');",
      'prints.mjs': `import { writeSync } from 'node:fs'; console.log('{"jsonrpc":"2.0"}'); writeSync(1, 'noise\\n');
        ${plainAgent('prints')}`,
    });
    const server = await connectServer({ home });
    let isListed = false;
    const listing = server.ok('list_agents').finally(() => {
      isListed = true;
    });
    const first = server.ok('submit_job', { type: 'count_words', payload: { text: 'a b c' } });
    // Others are served while the modules hang.
    await server.ok('list_goals');
    expect(isListed).toBe(false);
    expect((await first).status).toBe('pending');
    const listed = await listing;
    expect(listed.supported_job_types).toEqual(expect.arrayContaining(['count_words', 'prints']));
    expect(listed.agents).toContainEqual(
      expect.objectContaining({ type: 'count_words', payload: ['text', 'least'], concurrency: 2, timeout_seconds: 60 }),
    );
    const reasons = Object.fromEntries(
      listed.problems.map(({ module, reason }: { module: string; reason: string }) => [
        module.split('/').at(-1),
        reason,
      ]),
    );
    expect(reasons).toEqual({
      'hangs.mjs': 'It hangs: it did not answer within 10 s of CPU time, so something in it loops.',
      'waits.mjs':
        'It hangs: it did nothing for 10 s and did not answer, so it waits for something that does not come.',
      'exits.mjs': 'It ended its process with exit code 0 while it was loaded.',
      'kills.mjs': 'It ended its process by SIGKILL while it was loaded.',
    });
    expect((await server.call('submit_job', { type: 'count_words', payload: { text: 1 } })).data.code).toBe('invalid');
  });
});
