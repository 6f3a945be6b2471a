import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAnthropic } from '../../src/llm/anthropic.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import type { ModelServer } from '../fixtures/models/scripted-server.js';
import { ask, failureOf } from './ask.js';

let server: ModelServer;
beforeEach(async () => {
  server = await startAnthropicServer();
});
afterEach(() => server.close());
const connect = (baseUrl = server.url) => createAnthropic({ apiKey: 'sk-ant-test-key-000001', baseUrl });

it('sends the key as a bearer token, and leaves room for thinking by default', async () => {
  await ask(connect(), { model: 'claude-sonnet-5-5' });
  const [request] = server.requests;
  expect(request?.path).toBe('/v1/messages');
  expect(request?.headers.authorization).toBe('Bearer sk-ant-test-key-000001');
  expect(request?.headers['x-api-key']).toBeUndefined();
  expect(request?.body).toEqual({
    model: 'claude-sonnet-5-5',
    max_tokens: 16_384,
    messages: [{ role: 'user', content: 'Hello there' }],
    stream: true,
  });
});

it('an aborted Anthropic stream rejects with cancelled although the SDK loop just ends', async () => {
  server.script.push({ pieces: ['Half'], ending: 'hang' });
  const controller = new AbortController();
  const call = ask(connect(), { signal: controller.signal, onText: () => controller.abort() });
  const error = await failureOf(call);
  expect(error).toMatchObject({ failure: 'cancelled', message: 'The call to Anthropic was cancelled.' });
  // What the prompt cost is known from the stream's first event.
  expect(error.usage).toEqual({ inputTokens: 13, outputTokens: 1, cacheReadTokens: 10 });
});

it('the pings of a long thought are signs of life, although the SDK keeps them to itself', async () => {
  server.script.push({ pings: 6, delayMs: 100, pieces: ['Done.'] });
  const provider = createAnthropic({ apiKey: 'k', baseUrl: server.url }, { stallTimeoutMs: 400 });
  expect((await ask(provider)).text).toBe('Done.');
});

it('reads no setting from the environment', async () => {
  vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:1');
  vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-of-someone-else');
  vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'token-of-someone-else');
  await ask(connect());
  expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-ant-test-key-000001');
  vi.unstubAllEnvs();
});

it('asks for more tokens than the SDK allows without streaming', async () => {
  await ask(connect(), { params: { max_tokens: 64_000 } });
  expect(server.requests[0]?.body.max_tokens).toBe(64_000);
});

it.each(['claude-sonnet-5-5', 'claude-opus-5', 'claude-fable-5-2', 'claude-opus-4-7', 'claude-opus-4-8'])(
  'drops the sampling that %s refuses, and says so',
  async (model) => {
    const answer = await ask(connect(), { model, params: { temperature: 0.2, top_p: 0.9, top_k: 5 } });
    const { body } = server.requests[0] ?? {};
    for (const name of ['temperature', 'top_p', 'top_k']) {
      expect(body).not.toHaveProperty(name);
      expect(answer.warnings.join()).toContain(`${model} does not take ${name}`);
    }
  },
);

it.each(['claude-sonnet-4-6', 'claude-haiku-4-5', 'claude-opus-4-5', 'claude-sonnet-4-5'])(
  'sends the sampling that %s takes',
  async (model) => {
    const answer = await ask(connect(), { model, params: { temperature: 0.2, top_k: 5, stop_sequences: ['END'] } });
    expect(server.requests[0]?.body).toMatchObject({ temperature: 0.2, top_k: 5, stop_sequences: ['END'] });
    expect(answer.warnings).toEqual([]);
  },
);

it('has the API enforce a JSON schema, in the strict form that it takes', async () => {
  const schema = { $schema: 'x', type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, required: ['n'] };
  await ask(connect(), { params: { json_schema: schema } });
  expect(server.requests[0]?.body.output_config).toEqual({
    format: {
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: { n: { type: 'integer', description: '{minimum: 1}' } },
        required: ['n'],
        additionalProperties: false,
      },
    },
  });
});

it('names the reason of a schema that cannot be sent', async () => {
  const error = await failureOf(ask(connect(), { params: { json_schema: { title: 'No type' } } }));
  expect(error).toMatchObject({ failure: 'invalid_request' });
  expect(error.detail).toContain('type');
  expect(server.requests).toHaveLength(0);
});

it('a refusal is no answer', async () => {
  server.script.push({ pieces: ['I cannot'], stop: 'refusal' });
  const error = await failureOf(ask(connect(), { model: 'claude-opus-5-5' }));
  expect(error).toMatchObject({ failure: 'refused', isTransient: false, detail: 'cyber: Not this.' });
  expect(error.message).toContain('claude-opus-5-5 refused');
  expect(error.usage).toEqual({ inputTokens: 13, outputTokens: 2, cacheReadTokens: 10 });
});

it('counts what was read from the cache', async () => {
  server.script.push({ pieces: ['Twelve chars'] });
  expect((await ask(connect())).usage).toEqual({ inputTokens: 13, outputTokens: 3, cacheReadTokens: 10 });
});

it('says which variable mends a refused key', async () => {
  server.script.push({ status: 401 });
  const error = await failureOf(ask(connect()));
  expect(error.message).toBe('Anthropic refused the API key (401). Set ANTHROPIC_API_KEY to a valid key.');
});

it('names the model and the address when the model is not found', async () => {
  server.script.push({ status: 404 });
  const error = await failureOf(ask(connect(), { model: 'claude-nope' }));
  expect(error).toMatchObject({ failure: 'not_found', status: 404 });
  expect(error.message).toContain('claude-nope');
  expect(error.message).toContain(`ANTHROPIC_BASE_URL (${server.url})`);
});

it.each([
  ['seconds', { 'retry-after': '2' }, 2000],
  ['milliseconds, before seconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
  ['words', { 'retry-after': 'soon' }, undefined],
])('reads a retry-after in %s', async (_, headers, expected) => {
  server.script.push({ status: 429, headers });
  expect((await failureOf(ask(connect()))).retryAfterMs).toBe(expected);
});

it('reads a retry-after as a date', async () => {
  server.script.push({ status: 529, headers: { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() } });
  const { retryAfterMs } = await failureOf(ask(connect()));
  expect(retryAfterMs).toBeGreaterThan(3_000_000);
  expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
});

it('a rate limit in the middle of the stream is known by its type, with what was spent', async () => {
  server.script.push({ pieces: ['Half'], ending: 'error', status: 429 });
  const error = await failureOf(ask(connect()));
  expect(error).toMatchObject({ failure: 'rate_limited', usage: { inputTokens: 13, outputTokens: 1 } });
});

it('carries prompt and key to no other host', async () => {
  let visits = 0;
  const elsewhere = createServer((_, response) => {
    visits++;
    response.end();
  });
  await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening));
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1/messages`;
  server.script.push({ status: 307, headers: { location } });
  const error = await failureOf(ask(connect()));
  expect(error).toMatchObject({ failure: 'invalid_request', status: 307 });
  expect(error.message).toContain('ANTHROPIC_BASE_URL');
  expect(visits).toBe(0);
  elsewhere.close();
});

it('a key that no header can carry does not show in the error', async () => {
  const provider = createAnthropic({ apiKey: 'secret\nkey', baseUrl: server.url });
  const error = await failureOf(ask(provider));
  expect(error).toMatchObject({ failure: 'invalid_request' });
  expect(`${error.stack} ${error.detail} ${error.cause}`).not.toMatch(/secret\s*key/);
});

it('an address that is no URL is a matter of configuration', async () => {
  expect(await failureOf(ask(connect('not a url')))).toMatchObject({ failure: 'not_configured' });
});
