import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkModels } from '../../src/cli/doctor/check-services.js';
import { readConfig } from '../../src/config.js';
import { createCompatible } from '../../src/llm/compatible.js';
import { createModels } from '../../src/llm/index.js';
import { createOpenAi } from '../../src/llm/openai.js';
import { isStrictSchema } from '../../src/llm/strict-schema.js';
import { runnerEnvironment } from '../../src/runner/environment.js';
import { startOpenAiServer } from '../fixtures/models/openai-server.js';
import { closedUrl, type ModelServer } from '../fixtures/models/scripted-server.js';
import { tempDir } from '../support/temp-dir.js';
import { ask, failureOf } from './ask.js';

let server: ModelServer;
const servers: ModelServer[] = [];
async function serve(options?: Parameters<typeof startOpenAiServer>[0]): Promise<ModelServer> {
  server = await startOpenAiServer(options);
  servers.push(server);
  return server;
}
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((one) => one.close()));
});
const openAi = () => createOpenAi({ apiKey: 'sk-test-key-000001', baseUrl: server.url });
const local = () => createCompatible({ name: 'lmstudio', baseUrl: server.url });
const schema = {
  type: 'object',
  properties: { name: { type: 'string' } },
  required: ['name'],
  additionalProperties: false,
};

it('asks OpenAI by its own names, and wants to be told the tokens', async () => {
  await serve();
  await ask(openAi(), { model: 'gpt-4o', system: 'Be brief.', params: { max_tokens: 50, temperature: 0, top_p: 0.5 } });
  const [request] = server.requests;
  expect(request?.headers.authorization).toBe('Bearer sk-test-key-000001');
  expect(request?.body).toEqual({
    model: 'gpt-4o',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello there' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 50,
    temperature: 0,
    top_p: 0.5,
  });
});

it.each(['o3', 'o4-mini', 'gpt-5.4', 'gpt-6.1-sol', 'gpt-10'])('drops what %s refuses, and says so', async (model) => {
  await serve();
  const { warnings } = await ask(openAi(), { model, params: { temperature: 0.2, stop_sequences: ['END'] } });
  expect(server.requests[0]?.body).not.toHaveProperty('temperature');
  expect(server.requests[0]?.body).not.toHaveProperty('stop');
  expect(warnings).toEqual([expect.stringContaining('temperature'), expect.stringContaining('stop_sequences')]);
});

it('asks other servers by the older names, and with top_k', async () => {
  await serve();
  await ask(local(), { params: { max_tokens: 50, top_k: 3, stop_sequences: ['END'] } });
  expect(server.requests[0]?.body).toMatchObject({ max_tokens: 50, top_k: 3, stop: ['END'] });
});

it('reads no setting from the environment', async () => {
  await serve();
  vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:1');
  vi.stubEnv('OPENAI_API_KEY', 'sk-of-someone-else');
  vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin-of-someone-else');
  vi.stubEnv('OPENAI_ORG_ID', 'org-of-someone-else');
  vi.stubEnv('OPENAI_PROJECT_ID', 'project-of-someone-else');
  await ask(openAi());
  await ask(local());
  expect(JSON.stringify(server.requests.map(({ headers }) => headers))).not.toContain('someone-else');
});

it('sends no key to a server that asks for none', async () => {
  await serve();
  await ask(local());
  expect(server.requests[0]?.headers.authorization).toBeUndefined();
});

it('counts the tokens of the cache among those of the prompt, and names them', async () => {
  await serve();
  const { usage } = await ask(openAi(), { prompt: 'x'.repeat(40) });
  expect(usage).toEqual({ inputTokens: 10, outputTokens: 13, cacheReadTokens: 5 });
});

it('says that the tokens are unknown where a server does not tell', async () => {
  await serve({ saysUsage: false });
  expect((await ask(local())).usage).toEqual({ inputTokens: 0, outputTokens: 0, isUnknown: true });
});

describe('JSON schemas', () => {
  it('go into response_format, strict where the schema is', async () => {
    await serve();
    await ask(openAi(), { params: { json_schema: { $schema: 'x', ...schema } } });
    await ask(openAi(), { params: { json_schema: { type: 'object' } } });
    expect(server.requests.map(({ body }) => body.response_format)).toEqual([
      { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
      { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' }, strict: false } },
    ]);
  });

  it('are told in words to a server that lacks them, which is asked only once for more', async () => {
    await serve({ refuses: 'response_format' });
    const provider = local();
    const params = { json_schema: schema };
    const { warnings } = await ask(provider, { params });
    await ask(provider, { params });
    expect(warnings).toEqual(['lmstudio enforces no JSON schema, so the model was only told of it.']);
    expect(server.requests.map(({ body }) => 'response_format' in body)).toEqual([true, false, false]);
    expect(server.requests[1]?.system).toContain(JSON.stringify(schema));
  });

  it.each([
    [schema, true],
    [{ type: 'object', properties: { a: schema, b: {} }, required: ['a'], additionalProperties: false }, false],
    [{ ...schema, properties: { name: { type: 'object', properties: {} } } }, false],
    [{ type: 'array', items: schema }, true],
    [{ type: 'string', enum: [{ type: 'object' }] }, true],
  ])('%j is strict: %s', (given, isStrict) => {
    expect(isStrictSchema(given)).toBe(isStrict);
  });
});

it('does without stream_options where a server does not know them', async () => {
  await serve({ refuses: 'stream_options', saysUsage: false });
  expect(await ask(local())).toMatchObject({ text: 'You said: Hello there', usage: { isUnknown: true } });
  expect(server.requests).toHaveLength(2);
});

it('a refused request that has nothing to leave out is not sent again', async () => {
  await serve();
  server.script.push({ status: 400, message: 'response_format is not the matter' });
  expect(await failureOf(ask(local()))).toMatchObject({ failure: 'invalid_request' });
  expect(server.requests).toHaveLength(1);
});

it.each([
  [{ status: 429, code: 'insufficient_quota', message: 'You exceeded your quota.' }, 'exhausted', /no credit left/],
  [{ status: 429, headers: { 'retry-after': '7' } }, 'rate_limited', /Try again in 7 s/],
  [{ status: 404 }, 'not_found', /no model test-model.*OPENAI_BASE_URL/],
  [{ status: 403 }, 'auth', /does not let this API key use test-model/],
  [{ status: 401 }, 'auth', /Set OPENAI_API_KEY to a valid key/],
  [{ status: 400, code: 'content_policy_violation' }, 'refused', /refused|invalid/],
  [{ pieces: ['a'], ending: 'error' as const, code: 'rate_limit_exceeded' }, 'rate_limited', /limits the rate/],
  [{ pieces: ['a'], ending: 'error' as const, code: 402 }, 'exhausted', /no credit left/],
])('%j is told as %s', async (script, failure, words) => {
  await serve();
  server.script.push(script);
  const error = await failureOf(ask(openAi()));
  expect(error).toMatchObject({ failure, ...('headers' in script ? { retryAfterMs: 7000 } : {}) });
  expect(error.message).toMatch(words);
});

it('a stop by the filter of the vendor is a refusal', async () => {
  await serve();
  server.script.push({ pieces: ['Half'], stop: 'content_filter' });
  expect(await failureOf(ask(openAi()))).toMatchObject({ failure: 'refused', usage: { outputTokens: 1 } });
});

it('an empty model name means the first that the server lists', async () => {
  await serve({ models: ['qwen3-8b', 'other'] });
  expect((await ask(local(), { model: '' })).model).toBe('qwen3-8b');
  await serve({ models: [] });
  expect(await failureOf(ask(local(), { model: '' }))).toMatchObject({ failure: 'not_configured' });
});

describe('servers that the config file names', () => {
  function configOf(providers: object, env: Record<string, string> = {}) {
    const home = tempDir();
    const path = join(home, 'config.json');
    writeFileSync(path, JSON.stringify({ providers }));
    return readConfig({ config: path }, { HOME: home, PATH: '/nowhere', ...env });
  }
  const deepseek = { kind: 'openai', apiKeyEnv: 'DEEPSEEK_API_KEY', model: 'deepseek-chat', models: { r: 'reasoner' } };

  it('are providers of their own: model string, key, runner and redaction', async () => {
    await serve();
    const key = 'plain-key-of-deepseek';
    const config = configOf({ deepseek: { ...deepseek, baseUrl: server.url } }, { DEEPSEEK_API_KEY: key });
    const models = createModels(config);
    for (const [name, model] of [
      ['deepseek', 'deepseek-chat'],
      ['deepseek:r', 'reasoner'],
      ['DeepSeek:a/b:free', 'a/b:free'],
    ] as const) {
      const resolved = models.resolve(name);
      expect(resolved).toMatchObject({ provider: 'deepseek', model });
      await ask(models.provider(resolved.provider), { model: resolved.model });
    }
    expect(server.requests.map(({ model }) => model)).toEqual(['deepseek-chat', 'reasoner', 'a/b:free']);
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
    expect(config.secrets).toContain(key);
    expect(runnerEnvironment(config)).toMatchObject({ DEEPSEEK_API_KEY: key });
    expect(models.defaultModel()).toBeUndefined();
  });

  it('doctor shows what is set up and what is missing', () => {
    const config = configOf({
      deepseek: { ...deepseek, baseUrl: 'https://api.deepseek.com' },
      llamacpp: { kind: 'openai', baseUrl: 'http://127.0.0.1:8080/v1' },
    });
    const checks = checkModels(config);
    expect(checks.find(({ name }) => name === 'llamacpp')).toMatchObject({ detail: 'set up; llamacpp' });
    expect(checks.find(({ name }) => name === 'deepseek')).toMatchObject({
      detail: 'not set up',
      fix: 'Set DEEPSEEK_API_KEY.',
    });
    expect(() => createModels(config).provider('deepseek')).toThrow('DEEPSEEK_API_KEY is not set');
  });

  it.each([
    [{ deepseek: { kind: 'openai' } }, /providers\.deepseek/],
    [{ deepseek: { ...deepseek, baseUrl: 'https://x', apiKey: 'sk-1' } }, /Unrecognized key: "apiKey"/],
    [{ 'Deep Seek': { ...deepseek, baseUrl: 'https://x' } }, /small letters, digits and hyphens/],
    [{ openia: { model: 'gpt-4o' } }, /Unrecognized key: "openia". Did you mean openai\?/],
  ])('a wrong entry is refused: %j', (providers, words) => {
    expect(() => configOf(providers)).toThrow(words);
  });

  it('a key is named with its variable, and an address with its place in the file', async () => {
    await serve();
    server.script.push({ status: 401 });
    const keyed = createCompatible({ name: 'vllm', baseUrl: server.url, apiKeyEnv: 'VLLM_KEY', apiKey: 'k-0001' });
    expect((await failureOf(ask(keyed))).message).toContain('Set VLLM_KEY to a valid key.');
    server.script.push({ html: true });
    expect((await failureOf(ask(local()))).message).toContain('Check providers.lmstudio.baseUrl.');
    const nobody = createCompatible({ name: 'vllm', baseUrl: `${await closedUrl()}/v1` });
    expect((await failureOf(ask(nobody))).message).toMatch(/^Cannot reach vllm at http/);
  });
});
