import { expect, it } from 'vitest';
import { RuntimeError } from '../../src/base/errors.js';
import { createModelNames, type ModelOverrides } from '../../src/llm/models.js';
import { providers } from '../../src/llm/providers.js';

const resolveModel = (name: string, overrides: ModelOverrides = {}) =>
  createModelNames(providers, overrides).resolve(name);

it.each([
  ['claude-sonnet-5-5', 'anthropic', 'claude-sonnet-5-5'],
  ['sonnet', 'anthropic', 'claude-sonnet-5-5'],
  ['Opus', 'anthropic', 'claude-opus-5-5'],
  ['haiku', 'anthropic', 'claude-haiku-5-5'],
  ['anthropic:sonnet', 'anthropic', 'claude-sonnet-5-5'],
  ['anthropic:some-new-model', 'anthropic', 'some-new-model'],
  ['anthropic', 'anthropic', 'claude-sonnet-5-5'],
  ['claude-of-the-future-9', 'anthropic', 'claude-of-the-future-9'],
  ['gemini-3.8-flash', 'google', 'gemini-3.8-flash'],
  ['gemini-flash-latest', 'google', 'gemini-flash-latest'],
  ['models/gemini-3.8-flash', 'google', 'gemini-3.8-flash'],
  ['google:tunedModels/mine', 'google', 'tunedModels/mine'],
  ['google', 'google', 'gemini-3.8-flash'],
  ['ollama:llama3.2:3b', 'ollama', 'llama3.2:3b'],
  ['ollama:hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M', 'ollama', 'hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M'],
  ['ollama', 'ollama', ''],
  ['claude-code', 'claude-code', 'sonnet'],
  ['claude-code:opus', 'claude-code', 'opus'],
  ['claude-code:sonnet[1m]', 'claude-code', 'sonnet[1m]'],
  ['custom:echo', 'custom:echo', 'echo'],
  ['custom:echo:small', 'custom:echo', 'small'],
])('%s is answered by %s with the model "%s"', (name, provider, model) => {
  expect(resolveModel(name)).toEqual({ provider, model, requested: name, warnings: [] });
});

it.each([
  ['claude-3-5-sonnet-20241022', 'claude-sonnet-5-5'],
  ['claude-3-7-sonnet-20250219', 'claude-sonnet-5-5'],
  ['claude-3-sonnet-20240229', 'claude-sonnet-5-5'],
  ['claude-3-opus-20240229', 'claude-opus-5-5'],
  ['claude-3-haiku-20240307', 'claude-haiku-5-5'],
  ['claude-3-5-haiku-latest', 'claude-haiku-5-5'],
  ['claude-sonnet-4-20250514', 'claude-sonnet-5-5'],
  ['claude-opus-4-20250514', 'claude-opus-5-5'],
  ['claude-opus-4-1', 'claude-opus-5-5'],
  ['claude-opus-4-1-20250805', 'claude-opus-5-5'],
  ['gemini-pro', 'gemini-3.8-flash'],
  ['gemini-pro-vision', 'gemini-3.8-flash'],
  ['gemini-1.5-pro', 'gemini-3.8-flash'],
  ['gemini-2.0-flash-001', 'gemini-3.8-flash'],
  ['gemini-2.0-flash-lite', 'gemini-3.5-flash-lite'],
  ['gemini-2.5-flash', 'gemini-3.8-flash'],
  ['gemini-2.5-flash-lite', 'gemini-3.5-flash-lite'],
  ['models/gemini-2.5-pro', 'gemini-3.1-pro-preview'],
  ['claude-code:claude-3-opus-20240229', 'claude-opus-5-5'],
])('the retired %s becomes %s, with a warning', (name, model) => {
  const resolved = resolveModel(name);
  expect(resolved).toMatchObject({ model, requested: name });
  expect(resolved.warnings.join()).toMatch(/is retired/);
});

it.each([
  'claude-opus-4-6',
  'claude-opus-4-8',
  'claude-haiku-4-5-20251001',
  'claude-opus-4-5-20251101',
  'gemini-3.5-flash-lite',
])('%s is not retired', (name) => {
  expect(resolveModel(name)).toMatchObject({ model: name, warnings: [] });
});

it('warns of an id that will soon be retired, and still uses it', () => {
  const { model, warnings } = resolveModel('claude-sonnet-4-5-20250929');
  expect(model).toBe('claude-sonnet-4-5-20250929');
  expect(warnings).toEqual([
    'claude-sonnet-4-5-20250929 is served until 2026-11-30; claude-sonnet-5-5 takes its place.',
  ]);
});

it('lets the caller change defaults, aliases and what is retired', () => {
  const overrides = {
    defaults: { anthropic: 'claude-opus-5-5', 'claude-code': 'opus' },
    aliases: { anthropic: { sonnet: 'claude-sonnet-6', fast: 'claude-haiku-5-5' } },
    retired: { google: { 'gemini-2.5-flash': 'gemini-2.5-flash', 'gemini-3.8-*': 'gemini-4-flash' } },
  };
  const resolve = (name: string) => resolveModel(name, overrides);
  expect(resolve('anthropic').model).toBe('claude-opus-5-5');
  expect(resolve('claude-code').model).toBe('opus');
  expect(resolve('sonnet').model).toBe('claude-sonnet-6');
  expect(resolve('fast')).toMatchObject({ provider: 'anthropic', model: 'claude-haiku-5-5' });
  expect(resolve('claude-3-5-sonnet-20241022').model).toBe('claude-sonnet-6');
  expect(resolve('gemini-2.5-flash')).toMatchObject({ model: 'gemini-2.5-flash', warnings: [] });
  expect(resolve('gemini-3.8-flash').model).toBe('gemini-4-flash');
  expect(resolve('haiku').model).toBe('claude-haiku-5-5');
});

it.each([
  'gpt-oss:20b',
  '',
  '   ',
  'llama3.2',
  'constructor',
  'toString',
  '__proto__',
  'custom:',
  'claude-x\n--evil',
  '-p',
  'a b',
])('refuses %j and lists what it takes', (name) => {
  let thrown: unknown;
  try {
    resolveModel(name);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RuntimeError);
  expect(thrown).toMatchObject({ code: 'invalid', message: `No provider knows the model ${JSON.stringify(name)}.` });
  for (const form of ['sonnet', 'gemini-3.8-flash', 'ollama:NAME', 'claude-code', 'custom:NAME', 'anthropic:ID']) {
    expect((thrown as RuntimeError).hint).toContain(form);
  }
});

it('lets nothing into an argument list or an address that is more than a name', () => {
  for (const id of ['--dangerously-skip-permissions', 'a?key=1', 'a#b', 'a%2fb', 'a;b', '$(id)', '../x', 'a/../b']) {
    expect(() => resolveModel(`claude-code:${id}`)).toThrow(RuntimeError);
    expect(() => resolveModel(`google:${id}`)).toThrow(RuntimeError);
  }
});
