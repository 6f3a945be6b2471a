import { expect, it } from 'vitest';
import { RuntimeError } from '../../src/base/errors.js';
import { createModels, type ModelsConfig } from '../../src/llm/index.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { newRequest } from './ask.js';

const anthropic = { apiKey: 'sk-ant-1' };
const google = { apiKey: 'AIza-1' };
const ollama = { baseUrl: 'http://127.0.0.1:11434' };
/** A command that is there stands for an installed Claude Code. */
const claudeCode = { command: process.execPath };

it.each<[string, ModelsConfig, string | undefined]>([
  ['the model that is set', { model: 'opus', providers: { anthropic, google } }, 'opus'],
  ['Anthropic', { providers: { anthropic, google, ollama, 'claude-code': claudeCode } }, 'claude-sonnet-5-5'],
  ['Google', { providers: { google, ollama, 'claude-code': claudeCode } }, 'gemini-3.8-flash'],
  ['Ollama with an address', { providers: { ollama, 'claude-code': claudeCode } }, 'ollama'],
  ['Ollama with a model', { providers: { ollama: { model: 'mistral' }, 'claude-code': claudeCode } }, 'ollama:mistral'],
  ['Claude Code', { providers: { ollama: {}, 'claude-code': claudeCode } }, 'claude-code:sonnet'],
  ['nothing when Claude Code is not there', { env: { PATH: '/nowhere' } }, undefined],
  ['nothing when an agent started this runtime', { providers: { 'claude-code': claudeCode }, depth: 1 }, undefined],
  ['nothing for an empty key', { providers: { anthropic: { apiKey: '' } } }, undefined],
  ['nothing for a module of the user’s own', { providers: { custom: { echo: '/x.mjs' } } }, undefined],
  ['the caller’s own default', { providers: { google: { ...google, model: 'gemini-4' } } }, 'gemini-4'],
  ['an own default of no known name', { providers: { google: { ...google, model: 'tuned-1' } } }, 'google:tuned-1'],
])('the default is %s', (_, config, model) => {
  const models = createModels(config);
  expect(models.defaultModel()).toBe(model);
  if (model !== undefined) expect(models.resolve().requested).toBe(model);
});

it('every default leads back to the provider that it is the default of', () => {
  const models = createModels({
    providers: {
      ...{ anthropic, google, openai: { apiKey: 'sk-1' }, ollama },
      ...{ 'claude-code': claudeCode, codex: claudeCode, 'gemini-cli': claudeCode, opencode: claudeCode },
      ...{ custom: { echo: '/x.mjs' } },
      compatible: { vllm: { kind: 'openai', baseUrl: 'http://127.0.0.1:8000/v1' } },
    },
  });
  for (const { id, isConfigured, defaultModel } of models.available()) {
    expect(isConfigured).toBe(true);
    expect(models.resolve(defaultModel).provider).toBe(id);
    expect(models.provider(id).id).toBe(id);
    expect(models.provider(id)).toBe(models.provider(id));
  }
});

it('says of each provider what is missing', () => {
  const models = createModels({});
  expect(models.available()).toEqual([
    { id: 'anthropic', isConfigured: false, isUsable: false, fix: 'Set ANTHROPIC_API_KEY.' },
    { id: 'google', isConfigured: false, isUsable: false, fix: 'Set GOOGLE_API_KEY (or GEMINI_API_KEY).' },
    { id: 'openai', isConfigured: false, isUsable: false, fix: 'Set OPENAI_API_KEY.' },
    {
      id: 'ollama',
      isConfigured: false,
      isUsable: true,
      fix: 'Set OLLAMA_BASE_URL, or name a local model as ollama:NAME.',
    },
    {
      id: 'claude-code',
      isConfigured: false,
      isUsable: false,
      fix: 'Install Claude Code and log in once with `claude`.',
    },
    ...[
      ['codex', 'Install it and log in with `codex login`.'],
      ['gemini-cli', 'Install it and log in with `gemini`.'],
      ['opencode', 'Install it and log in with `opencode auth login`.'],
    ].map(([id, fix]) => ({ id, isConfigured: false, isUsable: false, fix })),
  ]);
});

it.each<[string, ModelsConfig, string, string]>([
  ['anthropic', {}, 'not_configured', 'ANTHROPIC_API_KEY'],
  ['google', {}, 'not_configured', 'GOOGLE_API_KEY'],
  ['claude-code', {}, 'not_configured', 'not found as claude'],
  ['claude-code', { providers: { 'claude-code': { command: '/opt/claude' } } }, 'not_configured', '/opt/claude'],
  ['claude-code', { providers: { 'claude-code': claudeCode }, depth: 1 }, 'not_configured', 'AGENT_RUNTIME_DEPTH is 1'],
  ['custom:echo', { providers: { custom: { other: '/x.mjs' } } }, 'not_found', 'custom:echo'],
  ['custom:constructor', {}, 'not_found', 'custom:constructor'],
  ['mistral', {}, 'not_found', 'mistral'],
])('provider %s fails before any call when it is not set up (%#)', (id, config, code, words) => {
  const provider = () => createModels(config).provider(id);
  expect(provider).toThrow(RuntimeError);
  expect(provider).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
  expect(provider).toThrow(expect.objectContaining({ hint: expect.any(String) }));
});

it('Ollama needs no setting when it is asked for by name', () => {
  const models = createModels({});
  expect(models.provider(models.resolve('ollama:llama3.2').provider).id).toBe('ollama');
});

it('without a name and without a provider it says what to set', () => {
  const resolve = () => createModels({}).resolve();
  expect(resolve).toThrow(expect.objectContaining({ code: 'not_configured' }));
  expect(resolve).toThrow('No model was named, and no provider is set up.');
  for (const way of ['ANTHROPIC_API_KEY', 'GOOGLE_API_KEY', 'OLLAMA_BASE_URL', 'Install Claude Code'])
    expect(resolve).toThrow(expect.objectContaining({ hint: expect.stringContaining(way) }));
});

it('a model string leads all the way to an answer', async () => {
  const server = await startAnthropicServer({ reply: ({ prompt }) => prompt.split('').reverse().join('') });
  const models = createModels({ providers: { anthropic: { ...anthropic, baseUrl: server.url } } });
  const { provider, model } = models.resolve('haiku');
  const answer = await models.provider(provider).complete(newRequest({ model }));
  expect(answer).toMatchObject({ text: 'ereht olleH', model: 'claude-haiku-5-5' });
  await server.close();
});
