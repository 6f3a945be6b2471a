import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelRequest, Provider } from '../../src/core/ports.js';
import type { CliRun } from '../../src/llm/cli.js';
import { createCodex } from '../../src/llm/codex.js';
import { createGeminiCli } from '../../src/llm/gemini-cli.js';
import { createModels } from '../../src/llm/index.js';
import { createOpencode } from '../../src/llm/opencode.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { projectRoot } from '../support/root.js';
import { tempDir } from '../support/temp-dir.js';
import { ask, failureOf } from './ask.js';

const command = join(projectRoot, 'test', 'fixtures', 'models', 'fake-cli.mjs');

interface Recorded {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  prompt: string;
  childPid?: number;
}

interface Case {
  name: string;
  cli: string;
  create: (settings: CliRun & { command: string; passEnv: string[] }) => Provider;
  /** Its arguments without a model and a session. */
  args: string[];
  /** How it is told of a session. */
  resume: string[];
  usage: object;
  granted: (settings: CliRun & { command: string; passEnv: string[] }) => Provider;
}

const cases: Case[] = [
  {
    name: 'Codex',
    cli: 'codex',
    create: createCodex,
    args: ['exec', '--json', '--skip-git-repo-check', '-s', 'read-only', '--ignore-user-config', '--ephemeral', '-'],
    resume: ['fork', 'thread-1', '-'],
    usage: { inputTokens: 120, outputTokens: 7, cacheReadTokens: 100 },
    granted: (settings) => createCodex({ ...settings, sandbox: 'workspace-write', userConfig: true }),
  },
  {
    name: 'Gemini CLI',
    cli: 'gemini',
    create: createGeminiCli,
    args: [
      ...['-o', 'json', '--skip-trust', '-e', 'none', '--allowed-mcp-server-names', 'none'],
      ...['--approval-mode', 'default'],
    ],
    resume: [],
    usage: { inputTokens: 120, outputTokens: 7, cacheReadTokens: 100 },
    granted: (settings) => createGeminiCli({ ...settings, approvalMode: 'auto_edit' }),
  },
  {
    name: 'opencode',
    cli: 'opencode',
    create: createOpencode,
    args: ['run', '--format', 'json'],
    resume: ['-s', 'thread-1', '--fork'],
    usage: { inputTokens: 120, outputTokens: 7, cacheReadTokens: 100, costUsd: 0.000055 },
    granted: (settings) => createOpencode({ ...settings, permission: { edit: 'allow' } }),
  },
];

describe.each(cases)('$name', ({ name, cli, create, args, resume, usage, granted }) => {
  const env = { PATH: process.env.PATH, HOME: homedir(), FAKE_CLI: cli, OPENAI_API_KEY: 'sk-not-for-it', TOKEN_X: 'x' };
  const settings = { command, env, passEnv: ['FAKE_CLI', 'TOKEN_X'] };
  const provider = create(settings);

  async function recorded(overrides: Partial<ModelRequest> = {}, who = provider) {
    const path = join(tempDir(), 'record.json');
    const prompt = `${overrides.prompt ?? 'Hello'} [[record ${path}]]`;
    const answer = await ask(who, { model: '', ...overrides, prompt });
    return { answer, ...(JSON.parse(readFileSync(path, 'utf8')) as Recorded) };
  }

  it('answers with its text and tokens, and is granted nothing', async () => {
    const { argv, answer, prompt, cwd } = await recorded();
    expect(argv).toEqual(args);
    expect(answer).toMatchObject({ text: 'Hello from the fake.', stopReason: 'end_turn', usage, warnings: [] });
    expect(answer.sessionId).toBeUndefined();
    expect(prompt).toMatch(/^Hello/);
    expect(cwd).toBe(homedir());
  });

  it('gets the model, its instructions and schema in words, and only the variables that it is to have', async () => {
    const { argv, env, prompt, answer } = await recorded({
      model: 'vendor/some-model',
      system: 'Be brief.',
      params: { json_schema: { type: 'object' }, temperature: 0 },
    });
    expect(argv.join(' ')).toContain('-m vendor/some-model');
    expect(prompt).toMatch(/^Be brief\.\n\nHello[\s\S]*JSON schema:\n\{"type":"object"\}$/);
    expect(env).toMatchObject({ TOKEN_X: 'x', AGENT_RUNTIME_DEPTH: '1' });
    expect(env).not.toHaveProperty('OPENAI_API_KEY');
    expect(answer.warnings.join()).toContain(`${name} does not take temperature`);
  });

  it('works in the directory of the call, and says that it may change nothing there unless that is granted', async () => {
    const directory = tempDir();
    const before = await recorded({ workingDirectory: directory });
    expect(before.cwd).toBe(directory);
    expect(before.answer.warnings.join()).toMatch(new RegExp(`^${name} .*providers\\.${provider.id}\\.`));
    const after = await recorded({ workingDirectory: directory }, granted(settings));
    expect(after.answer.warnings).toEqual([]);
    expect([after.argv.join(' '), after.env.OPENCODE_CONFIG_CONTENT].join()).toMatch(
      /-s workspace-write|--approval-mode auto_edit|"\*":"deny","edit":"allow"/,
    );
    expect(provider.directories).toEqual([]);
  });

  it('goes on with a conversation by a fork of its own session, or is told it as text', async () => {
    const history = [{ prompt: 'First question', answer: 'First answer' }];
    const session = { isKept: true, resume: 'thread-1/240-200-14' };
    const { argv, prompt, answer } = await recorded({ history, session: cli === 'codex' ? session : resumed });
    if (resume.length > 0) {
      expect(argv.join(' ')).toContain(resume.join(' '));
      expect(prompt).not.toContain('First answer');
      expect(answer.sessionId).toBeDefined();
    } else expect(prompt).toMatch(/First question[\s\S]*First answer[\s\S]*Hello/);
    expect(answer.usage).toEqual(expect.objectContaining({ inputTokens: 120, outputTokens: 7 }));
  });

  it.runIf(resume.length > 0)('is told the conversation where its session is gone', async () => {
    const history = [{ prompt: 'First question', answer: 'First answer' }];
    const gone = recorded({ history, session: { isKept: true, resume: 'gone-1' } });
    // The fake sees the id of the first call only: the second one has none.
    const { prompt, answer } = await gone;
    expect(prompt).toContain('First answer');
    expect(answer.warnings).toEqual([`The session of ${name} was gone, so it was given the conversation as text.`]);
  });

  it('tells a refused login from other failures', async () => {
    const error = await failureOf(ask(provider, { prompt: '[[cli refused]]' }));
    expect(error).toMatchObject({ failure: 'auth', status: 401, isTransient: false });
    expect(error.detail).toContain('Incorrect API key provided');
    expect(error.message).toContain(`${name} is not logged in`);
  });

  it('does not take an end without output for an answer', async () => {
    const error = await failureOf(ask(provider, { prompt: '[[cli silent]]' }));
    expect(error).toMatchObject({ failure: 'invalid_output', isTransient: true });
    expect(error.message).toContain(`${name} ended without any output (exit 0)`);
  });

  it('ends with all of its processes when it is cancelled', async () => {
    const path = join(tempDir(), 'record.json');
    const controller = new AbortController();
    const call = failureOf(ask(provider, { prompt: `[[cli hang]] [[record ${path}]]`, signal: controller.signal }));
    const childPid = await eventually('it has a child', () => {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      return text.endsWith('}') ? (JSON.parse(text) as Recorded).childPid : undefined;
    });
    controller.abort();
    expect(await call).toMatchObject({ failure: 'cancelled' });
    await eventually('its child is gone', () => !isAlive(childPid));
  });

  it('is found on PATH, and not from within an agent', () => {
    const providers = { [provider.id]: { command } };
    const models = createModels({ providers, env });
    expect(models.available().find(({ id }) => id === provider.id)).toMatchObject({ isConfigured: true });
    expect(models.resolve(provider.id)).toMatchObject({ provider: provider.id, model: '' });
    expect(models.provider(provider.id).id).toBe(provider.id);
    expect(() => createModels({ providers, env, depth: 1 }).provider(provider.id)).toThrow('AGENT_RUNTIME_DEPTH is 1');
    expect(() => createModels({ env: { PATH: '/nowhere' } }).provider(provider.id)).toThrow(`${name} was not found`);
  });
});

const resumed = { isKept: true, resume: 'thread-1' };

it('Codex says the tokens of the whole thread: those of before are left out, and unknown where nothing is known of them', async () => {
  const env = { PATH: process.env.PATH, FAKE_CLI: 'codex' };
  const codex = createCodex({ command, env, passEnv: ['FAKE_CLI'] });
  const first = await ask(codex, { session: { isKept: true } });
  expect(first.sessionId).toMatch(/^[\da-f-]{36}\/120-100-7$/);
  const next = await ask(codex, { session: { isKept: true, resume: 'thread-1/240-200-14' } });
  expect(next.usage).toEqual({ inputTokens: 120, outputTokens: 7, cacheReadTokens: 100 });
  expect(next.sessionId).toMatch(/\/360-300-21$/);
  expect((await ask(codex, { session: { isKept: true, resume: 'thread-1' } })).usage).toMatchObject({
    isUnknown: true,
  });
});
