import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createOllama } from '../../src/llm/ollama.js';
import { startOllamaServer } from '../fixtures/models/ollama-server.js';
import { closedUrl, type ModelServer } from '../fixtures/models/scripted-server.js';
import { eventually } from '../support/eventually.js';
import { ask, failureOf } from './ask.js';

let server: ModelServer;
beforeEach(async () => {
  server = await startOllamaServer();
});
afterEach(() => server.close());
const connect = () => createOllama({ baseUrl: server.url });

it('takes a host and port without a protocol, as OLLAMA_HOST has it', async () => {
  const provider = createOllama({ baseUrl: server.url.replace('http://', '') });
  expect((await ask(provider)).text).toBe('You said: Hello there');
});

it('does not read OLLAMA_HOST itself', async () => {
  vi.stubEnv('OLLAMA_HOST', 'http://127.0.0.1:1');
  expect((await ask(connect())).text).toBe('You said: Hello there');
  vi.unstubAllEnvs();
});

it('sends a user and password as a header, where fetch takes them', async () => {
  await ask(createOllama({ baseUrl: server.url.replace('//', '//ann:p%40ss@') }));
  expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
});

it('keeps a password out of the message when nothing listens', async () => {
  const url = (await closedUrl()).replace('//', '//ann:hunter22@');
  const error = await failureOf(ask(createOllama({ baseUrl: url })));
  expect(`${error.stack} ${error.cause}`).not.toContain('hunter22');
});

it('passes the parameters on, and always a context window', async () => {
  const json_schema = { type: 'object' };
  const params = { max_tokens: 100, temperature: 0, top_p: 0.5, top_k: 3, stop_sequences: ['END'], json_schema };
  await ask(connect(), { params });
  expect(server.requests[0]?.body).toMatchObject({
    stream: true,
    format: json_schema,
    options: { num_ctx: 8192, num_predict: 100, temperature: 0, top_p: 0.5, top_k: 3, stop: ['END'] },
  });
  await ask(createOllama({ baseUrl: server.url, numCtx: 32_768 }));
  await ask(createOllama({ baseUrl: server.url, numCtx: 32_768 }), { params: { num_ctx: 1024 } });
  const windows = server.requests.map(({ body }) => (body.options as { num_ctx: number }).num_ctx);
  expect(windows).toEqual([8192, 32_768, 1024]);
});

it('warns when the context window was too small for all of it', async () => {
  const { warnings } = await ask(connect(), { prompt: 'x'.repeat(400), params: { num_ctx: 64 } });
  expect(warnings.join()).toContain('fill the context of 64 tokens');
});

it('says how to start a server that is not there', async () => {
  const url = await closedUrl();
  const error = await failureOf(ask(createOllama({ baseUrl: url })));
  expect(error.failure).toBe('network');
  expect(error.message).toBe(`Cannot reach Ollama at ${url} (ECONNREFUSED). Start it with: ollama serve`);
});

it('says how to get a model that is missing', async () => {
  server.script.push({ status: 404, message: "model 'mistral' not found" });
  const error = await failureOf(ask(connect(), { model: 'mistral' }));
  expect(error).toMatchObject({ failure: 'not_found', isTransient: false });
  expect(error.message).toBe('Ollama has no model mistral. Get it with: ollama pull mistral');
});

it('a wrong path is not taken for a missing model', async () => {
  const error = await failureOf(ask(createOllama({ baseUrl: `${server.url}/v1` })));
  expect(error.failure).toBe('not_found');
  expect(error.message).toContain('OLLAMA_BASE_URL');
});

it('an empty model name means the configured one, else the first that the server lists', async () => {
  expect((await ask(connect(), { model: '' })).model).toBe('llama3.2:latest');
  expect((await ask(createOllama({ baseUrl: server.url, model: 'mistral' }), { model: '' })).model).toBe('mistral');
});

it('says how to get a first model', async () => {
  const empty = await startOllamaServer({ models: [] });
  const error = await failureOf(ask(createOllama({ baseUrl: empty.url }), { model: '' }));
  expect(error).toMatchObject({ failure: 'not_configured', isTransient: false });
  expect(error.message).toContain('ollama pull llama3.2');
  await empty.close();
});

it('ends only the call that was cancelled', async () => {
  server.script.push({ pieces: ['Half'], ending: 'hang' }, { pieces: ['a', 'b', 'c'], delayMs: 20 });
  const controller = new AbortController();
  const provider = connect();
  const cancelled = failureOf(ask(provider, { signal: controller.signal, onText: () => controller.abort() }));
  await eventually('it has asked', () => server.requests.length === 1);
  const other = ask(provider);
  expect(await cancelled).toMatchObject({ failure: 'cancelled' });
  expect((await other).text).toBe('abc');
});

it('counts tokens from the last line', async () => {
  server.script.push({ pieces: ['Twelve ', 'chars'] });
  expect((await ask(connect())).usage).toEqual({ inputTokens: 3, outputTokens: 3 });
});
