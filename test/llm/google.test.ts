import { afterEach, beforeEach, expect, it } from 'vitest';
import { createGoogle } from '../../src/llm/google.js';
import { startGoogleServer } from '../fixtures/models/google-server.js';
import type { ModelServer } from '../fixtures/models/scripted-server.js';
import { ask, failureOf } from './ask.js';

let server: ModelServer;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
beforeEach(async () => {
  server = await startGoogleServer();
  rejections.length = 0;
  process.on('unhandledRejection', onRejection);
});
afterEach(async () => {
  // An unhandled rejection is reported once the microtasks and the current phase of the loop are over.
  await new Promise((settled) => setTimeout(settled, 20));
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
  await server.close();
});
const connect = (baseUrl = server.url) => createGoogle({ apiKey: 'AIzaTestKey0000001', baseUrl });

it('sends the key as a header and never in the address', async () => {
  await ask(connect(`${server.url}/`), { model: 'gemini-3.8-flash' });
  const [request] = server.requests;
  expect(request?.headers['x-goog-api-key']).toBe('AIzaTestKey0000001');
  expect(request?.path).toBe('/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse');
});

it.each(['hang', 'cut'] as const)(
  'an aborted Gemini stream leaves no unhandled rejection (then: %s)',
  async (ending) => {
    server.script.push({ pieces: ['Half'], ending });
    const controller = new AbortController();
    const call = ask(connect(), { signal: controller.signal, onText: () => controller.abort() });
    expect(await failureOf(call)).toMatchObject({ failure: 'cancelled' });
  },
);

it('a Gemini stream that breaks leaves no unhandled rejection', async () => {
  server.script.push({ pieces: ['Half'], ending: 'cut' });
  expect(await failureOf(ask(connect()))).toMatchObject({ failure: 'invalid_output' });
});

it('an answer given up half-way leaves no unhandled rejection', async () => {
  server.script.push({ blocked: 'SAFETY', ending: 'hang' });
  expect(await failureOf(ask(connect()))).toMatchObject({ failure: 'refused' });
});

it.each(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'])('%s is a refusal', async (stop) => {
  server.script.push({ pieces: ['I '], stop });
  const error = await failureOf(ask(connect(), { model: 'gemini-3.8-flash' }));
  expect(error).toMatchObject({ failure: 'refused', isTransient: false });
  expect(error.message).toContain(`gemini-3.8-flash refused to answer (${stop})`);
});

it('a blocked prompt is a refusal, with what was spent', async () => {
  server.script.push({ blocked: 'PROHIBITED_CONTENT' });
  const error = await failureOf(ask(connect()));
  expect(error).toMatchObject({ failure: 'refused', usage: { inputTokens: 3, outputTokens: 3 } });
  expect(error.message).toContain('the prompt was blocked: PROHIBITED_CONTENT');
});

it.each(['OTHER', 'MALFORMED_FUNCTION_CALL'])('%s is no answer, and may go better next time', async (stop) => {
  server.script.push({ stop });
  expect(await failureOf(ask(connect()))).toMatchObject({ failure: 'invalid_output', isTransient: true });
});

it('counts thinking as output and names the version that answered', async () => {
  server.script.push({ pieces: ['Twelve chars'] });
  const answer = await ask(connect(), { model: 'gemini-3.8-flash' });
  expect(answer).toMatchObject({ model: 'gemini-3.8-flash-001', usage: { inputTokens: 3, outputTokens: 6 } });
});

it('passes the parameters on by the vendor’s names', async () => {
  const json_schema = { type: 'object', properties: {}, additionalProperties: false };
  const params = { max_tokens: 100, temperature: 0, top_p: 0.5, top_k: 3, stop_sequences: ['END'], json_schema };
  await ask(connect(), { params });
  expect(server.requests[0]?.body.generationConfig).toEqual({
    maxOutputTokens: 100,
    temperature: 0,
    topP: 0.5,
    topK: 3,
    stopSequences: ['END'],
    responseMimeType: 'application/json',
    responseJsonSchema: json_schema,
  });
});

it('warns when it leaves out a parameter', async () => {
  const { warnings } = await ask(connect(), { params: { num_ctx: 4096 } });
  expect(warnings).toEqual(['Google does not take num_ctx, so it was left out.']);
});

it('knows a refused key although Google answers 400', async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
  server.script.push({ status: 400, message: 'API key not valid.', details });
  const error = await failureOf(ask(connect()));
  expect(error).toMatchObject({ failure: 'auth', status: 400 });
  expect(error.message).toBe('Google refused the API key (400). Set GOOGLE_API_KEY to a valid key.');
});

it('reads how long to wait from the error’s details', async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.5s' }];
  server.script.push({ status: 429, details });
  const error = await failureOf(ask(connect()));
  expect(error).toMatchObject({ failure: 'rate_limited', retryAfterMs: 34_500 });
  expect(error.message).toContain('Try again in 35 s');
});
