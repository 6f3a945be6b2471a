import { expect, it } from 'vitest';
import { RuntimeError } from '../../src/base/errors.js';
import { createModels, type LlmSettings } from '../../src/llm/index.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { newRequest } from './ask.js';

const anthropic = { apiKey: 'sk-ant-1' };
const google = { apiKey: 'AIza-1' };
const ollama = { baseUrl: 'http://127.0.0.1:11434' };
const claudeCode = { isFound: true, env: {} };

it.each<[string, LlmSettings, string | undefined]>([
  ['the model that is set', { model: 'opus', anthropic, google }, 'opus'],
  ['Anthropic', { anthropic, google, ollama, claudeCode }, 'claude-sonnet-5-5'],
  ['Google', { google, ollama, claudeCode }, 'gemini-3.8-flash'],
  ['Ollama with an address', { ollama, claudeCode }, 'ollama'],
  ['Ollama with a model', { ollama: { model: 'mistral' }, claudeCode }, 'ollama:mistral'],
  ['Claude Code', { ollama: {}, claudeCode }, 'claude-code:sonnet'],
  ['nothing when Claude Code was not looked for', { claudeCode: { env: {} } }, undefined],
  ['nothing when an agent started this runtime', { claudeCode: { ...claudeCode, depth: 1 } }, undefined],
  ['nothing for an empty key', { anthropic: { apiKey: '' } }, undefined],
  ['nothing for a module of the user’s own, which is only used when named', { custom: { echo: '/x.mjs' } }, undefined],
  ['the caller’s own default', { google, overrides: { defaults: { google: 'gemini-4' } } }, 'gemini-4'],
])('the default is %s', (_, settings, model) => {
  expect(createModels(settings).defaultModel()).toBe(model);
});

it('every default leads back to the provider that it is the default of', () => {
  const models = createModels({ anthropic, google, ollama, claudeCode, custom: { echo: '/x.mjs' } });
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
    { id: 'anthropic', isConfigured: false, mend: 'Set ANTHROPIC_API_KEY.' },
    { id: 'google', isConfigured: false, mend: 'Set GOOGLE_API_KEY (or GEMINI_API_KEY).' },
    { id: 'ollama', isConfigured: false, mend: 'Set OLLAMA_BASE_URL, or name a local model as ollama:NAME.' },
    { id: 'claude-code', isConfigured: false, mend: 'Install Claude Code and log in once with `claude`.' },
  ]);
});

it.each<[string, LlmSettings, string, string]>([
  ['anthropic', {}, 'not_configured', 'ANTHROPIC_API_KEY'],
  ['google', {}, 'not_configured', 'GOOGLE_API_KEY'],
  ['claude-code', {}, 'not_configured', 'not found as claude'],
  ['claude-code', { claudeCode: { env: {}, isFound: false, command: '/opt/claude' } }, 'not_configured', '/opt/claude'],
  ['claude-code', { claudeCode: { ...claudeCode, depth: 1 } }, 'not_configured', 'AGENT_RUNTIME_DEPTH is 1'],
  ['custom:echo', { custom: { other: '/x.mjs' } }, 'not_found', 'custom:echo'],
  ['custom:constructor', {}, 'not_found', 'custom:constructor'],
  ['mistral', {}, 'not_found', 'mistral'],
])('provider %s fails before any call when it is not set up (%#)', (id, settings, code, words) => {
  const provider = () => createModels(settings).provider(id);
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
});

it('a model string leads all the way to an answer', async () => {
  const server = await startAnthropicServer({ reply: ({ prompt }) => prompt.split('').reverse().join('') });
  const models = createModels({ anthropic: { ...anthropic, baseUrl: server.url } });
  const { provider, model } = models.resolve('haiku');
  const answer = await models.provider(provider).complete(newRequest({ model }));
  expect(answer).toMatchObject({ text: 'ereht olleH', model: 'claude-haiku-5-5' });
  await server.close();
});
