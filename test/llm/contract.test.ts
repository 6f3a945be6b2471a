import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Provider } from '../../src/core/ports.js';
import { createAnthropic } from '../../src/llm/anthropic.js';
import { createCompatible } from '../../src/llm/compatible.js';
import { createGoogle } from '../../src/llm/google.js';
import { createOllama } from '../../src/llm/ollama.js';
import { createOpenAi } from '../../src/llm/openai.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { startGoogleServer } from '../fixtures/models/google-server.js';
import { startOllamaServer } from '../fixtures/models/ollama-server.js';
import { startOpenAiServer } from '../fixtures/models/openai-server.js';
import { closedUrl, type ModelServer } from '../fixtures/models/scripted-server.js';
import { eventually } from '../support/eventually.js';
import { ask, failureOf, newRequest } from './ask.js';

/** Of no known form, as keys of gateways are. */
const key = 'plain-gateway-key-0042';

interface Vendor {
  name: string;
  /** Its word for an answer that stops at the limit of tokens. */
  limitWord: string;
  start: () => Promise<ModelServer>;
  ownAddress: RegExp;
  create: (url: string | undefined, stallTimeoutMs?: number) => Provider;
}

const vendors: Vendor[] = [
  {
    name: 'Anthropic',
    ownAddress: /^https:\/\/api\.anthropic\.com\/v1\/messages/,
    limitWord: 'max_tokens',
    start: startAnthropicServer,
    create: (baseUrl, stallTimeoutMs) => createAnthropic({ apiKey: key, baseUrl }, { stallTimeoutMs }),
  },
  {
    name: 'Google',
    ownAddress: /^https:\/\/generativelanguage\.googleapis\.com\/v1beta\/models\/test-model:/,
    limitWord: 'MAX_TOKENS',
    start: startGoogleServer,
    create: (baseUrl, stallTimeoutMs) => createGoogle({ apiKey: key, baseUrl }, { stallTimeoutMs }),
  },
  {
    name: 'Ollama',
    ownAddress: /^http:\/\/127\.0\.0\.1:11434\/api\/chat/,
    limitWord: 'length',
    start: startOllamaServer,
    create: (baseUrl, stallTimeoutMs) => createOllama({ baseUrl, headers: { 'x-proxy-key': key } }, { stallTimeoutMs }),
  },
  {
    name: 'OpenAI',
    ownAddress: /^https:\/\/api\.openai\.com\/v1\/chat\/completions/,
    limitWord: 'length',
    start: startOpenAiServer,
    create: (baseUrl, stallTimeoutMs) => createOpenAi({ apiKey: key, baseUrl }, { stallTimeoutMs }),
  },
  {
    name: 'lmstudio',
    ownAddress: /^http:\/\/127\.0\.0\.1:1234\/v1\/chat\/completions/,
    limitWord: 'length',
    start: startOpenAiServer,
    create: (baseUrl = 'http://127.0.0.1:1234/v1', stallTimeoutMs) =>
      createCompatible({ name: 'lmstudio', baseUrl, headers: { 'x-proxy-key': key } }, { stallTimeoutMs }),
  },
];

/** What every vendor behind HTTP owes its caller, whatever its SDK does. */
describe.each(vendors)('$name', ({ name, limitWord, ownAddress, start, create }) => {
  let server: ModelServer;
  let provider: Provider;
  beforeEach(async () => {
    server = await start();
    provider = create(server.url);
  });
  afterEach(() => server.close());

  it('hands over each piece as it comes and answers with the whole', async () => {
    server.script.push({ pieces: ['One, ', 'two, ', 'three.'] });
    const request = newRequest({ system: 'Count.' });
    const answer = await provider.complete(request);
    expect(answer).toMatchObject({ text: 'One, two, three.', stopReason: 'end_turn', warnings: [] });
    expect(request.pieces).toEqual(['One, ', 'two, ', 'three.']);
    expect(server.requests[0]).toMatchObject({ model: 'test-model', prompt: 'Hello there', system: 'Count.' });
  });

  it('sends what was said before', async () => {
    const history = [{ prompt: 'First question', answer: 'First answer' }];
    await ask(provider, { history, prompt: 'Second question' });
    const sent = JSON.stringify(server.requests[0]?.body);
    const places = ['First question', 'First answer', 'Second question'].map((text) => sent.indexOf(text));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(sent.match(/"role":"(assistant|model)"/g)).toHaveLength(1);
  });

  it('keeps characters whole that arrive in two chunks', async () => {
    server.script.push({ pieces: ['Grüße, ', '世界 🌍'] });
    expect((await ask(provider)).text).toBe('Grüße, 世界 🌍');
  });

  it('takes only the text of an answer that thinks first', async () => {
    server.script.push({ thinking: 'The user greets me.', pieces: ['Hello!'] });
    const request = newRequest();
    expect((await provider.complete(request)).text).toBe('Hello!');
    expect(request.pieces).toEqual(['Hello!']);
  });

  it.each([
    [400, 'invalid_request', false],
    [401, 'auth', false],
    [402, 'exhausted', false],
    [403, 'auth', false],
    [408, 'timeout', true],
    [413, 'invalid_request', false],
    [429, 'rate_limited', true],
    [500, 'overloaded', true],
    [503, 'overloaded', true],
    [504, 'timeout', true],
    [529, 'overloaded', true],
  ] as const)('maps %i to %s and leaves retries to the job runner', async (status, failure, isTransient) => {
    server.script.push({ status, message: 'The vendor says no.' });
    const error = await failureOf(ask(provider));
    expect(error).toMatchObject({ failure, status, isTransient });
    expect(error.detail).toContain('The vendor says no.');
    expect(error.message).toContain(name);
    expect(error.message).not.toContain('The vendor says no.');
    expect(server.requests).toHaveLength(1);
  });

  it('sends nothing when it is cancelled before it starts', async () => {
    const error = await failureOf(ask(provider, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ failure: 'cancelled', isTransient: false });
    expect(server.requests).toHaveLength(0);
  });

  it('rejects with cancelled at once when no headers have come yet', async () => {
    server.script.push({ silent: true });
    const controller = new AbortController();
    const call = failureOf(ask(provider, { signal: controller.signal }));
    await eventually('it has asked', () => server.requests.length === 1);
    controller.abort();
    expect(await call).toMatchObject({ failure: 'cancelled' });
    await eventually('it hangs up', () => server.requests[0]?.isAborted);
  });

  it('rejects with cancelled in the middle of a stream and hangs up', async () => {
    server.script.push({ pieces: ['One, ', 'two, '], ending: 'hang' });
    const controller = new AbortController();
    const pieces: string[] = [];
    const onText = (text: string) => {
      pieces.push(text);
      if (pieces.length === 2) controller.abort();
    };
    const call = ask(provider, { signal: controller.signal, onText });
    expect(await failureOf(call)).toMatchObject({ failure: 'cancelled' });
    expect(pieces).toEqual(['One, ', 'two, ']);
    await eventually('it hangs up', () => server.requests[0]?.isAborted);
  });

  it('hands over nothing after it was cancelled', async () => {
    server.script.push({ pieces: ['One, ', 'two, ', 'three.'], delayMs: 10 });
    const controller = new AbortController();
    const request = newRequest({ signal: controller.signal });
    request.onText = (text) => {
      request.pieces.push(text);
      controller.abort();
    };
    await failureOf(provider.complete(request));
    await eventually('it hangs up', () => server.requests[0]?.isAborted);
    expect(request.pieces).toEqual(['One, ']);
  });

  it('leaves no listener on a signal that outlives the call', async () => {
    const { signal } = new AbortController();
    server.script.push({}, { status: 500 });
    await ask(provider, { signal });
    await failureOf(ask(provider, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('fails with timeout when no headers come', async () => {
    server.script.push({ silent: true });
    const error = await failureOf(ask(create(server.url, 80)));
    expect(error).toMatchObject({ failure: 'timeout', isTransient: true });
    expect(error.message).toContain('silent for 0.08 s');
  });

  it('fails with timeout when a stream falls silent', async () => {
    server.script.push({ pieces: ['One, '], ending: 'hang' });
    expect(await failureOf(ask(create(server.url, 80)))).toMatchObject({ failure: 'timeout' });
  });

  it('lets a slow stream run as long as it says something', async () => {
    server.script.push({ pieces: ['a', 'b', 'c', 'd', 'e', 'f'], delayMs: 100 });
    expect((await ask(create(server.url, 400))).text).toBe('abcdef');
  });

  it('does not take for silence that this process was held up and could read nothing', async () => {
    server.script.push({ pieces: ['a', 'b'], delayMs: 10 });
    const stallMs = 400;
    const onText = (piece: string) => {
      if (piece !== 'a') return;
      // The server is in this process, and is held up with it.
      const until = performance.now() + 1.5 * stallMs;
      while (performance.now() < until);
    };
    expect((await ask(create(server.url, stallMs), { onText })).text).toBe('ab');
  });

  it.each(['short', 'almost', 'cut'] as const)(
    'does not take a stream for an answer that ends too soon: %s',
    async (ending) => {
      server.script.push({ pieces: ['Half an ans'], ending });
      const error = await failureOf(ask(provider));
      expect(error).toMatchObject({ failure: 'invalid_output', isTransient: true });
      expect(error.message).toContain('cut its answer short');
    },
  );

  it('reports an error that comes in the middle of the stream', async () => {
    server.script.push({ pieces: ['Half an '], ending: 'error', message: 'Too much to do.' });
    const error = await failureOf(ask(provider));
    expect(error).toMatchObject({ failure: 'overloaded', isTransient: true });
    expect(error.detail).toContain('Too much to do.');
  });

  it('does not take a web page with status 200 for an answer', async () => {
    server.script.push({ html: true });
    expect(await failureOf(ask(provider))).toMatchObject({ failure: 'invalid_output', isTransient: true });
  });

  it('goes to its own address unless another is set', async () => {
    const addresses: string[] = [];
    vi.stubGlobal('fetch', async (input: string | URL | Request) => {
      addresses.push(String(input));
      throw new TypeError('fetch failed');
    });
    for (const variable of ['ANTHROPIC_BASE_URL', 'GOOGLE_GEMINI_BASE_URL', 'OLLAMA_HOST', 'OPENAI_BASE_URL'])
      vi.stubEnv(variable, server.url);
    const error = await failureOf(ask(create(undefined)));
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    expect(addresses).toHaveLength(1);
    expect(addresses[0]).toMatch(ownAddress);
    expect(error.failure).toBe('network');
  });

  it('names the address when nothing listens there', async () => {
    const url = await closedUrl();
    const error = await failureOf(ask(create(url)));
    expect(error).toMatchObject({ failure: 'network', isTransient: true });
    expect(error.message).toContain(url);
  });

  it('keeps keys out of errors, and the vendor’s words short', async () => {
    server.script.push({
      status: 500,
      message: `Bad ${key}, sk-ant-abc123def456, AIzaSyA1234567890. ${'x'.repeat(9000)}`,
    });
    const error = await failureOf(ask(provider));
    const shown = inspect(error, { depth: 9 }) + error.stack;
    for (const secret of [key, 'sk-ant', 'AIza']) expect(shown).not.toContain(secret);
    expect(error.detail).toContain('[redacted]');
    expect(error.detail?.length).toBeLessThanOrEqual(500);
  });

  it('passes on what the caller’s own onText throws, and hangs up', async () => {
    server.script.push({ pieces: ['One, '], ending: 'hang' });
    const onText = () => {
      throw new RangeError('The disk is full.');
    };
    await expect(ask(provider, { onText })).rejects.toThrow(RangeError);
    await eventually('it hangs up', () => server.requests[0]?.isAborted);
  });

  it('warns when the answer stops at its limit, or is empty', async () => {
    server.script.push({ pieces: [''], stop: limitWord });
    const answer = await ask(provider);
    expect(answer.stopReason).toBe('max_tokens');
    expect(answer.warnings.join()).toMatch(/raise max_tokens.*without any text/);
  });

  it('cuts an answer that goes on beyond max_tokens, and hangs up', async () => {
    server.script.push({ pieces: Array.from({ length: 40 }, () => 'x'.repeat(50_000)), ending: 'hang' });
    const request = newRequest({ params: { max_tokens: 10 } });
    const error = await failureOf(provider.complete(request));
    expect(error).toMatchObject({ failure: 'invalid_output', isTransient: true });
    expect(error.message).toMatch(/did not end its answer.*max_tokens/);
    expect(request.pieces.join('').length).toBeLessThanOrEqual(1_000_160);
    await eventually('it hangs up', () => server.requests[0]?.isAborted);
  });

  it('answers many calls at a time, each with its own text', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => ask(provider, { prompt: `Number ${i}` })));
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 12 }, (_, i) => `You said: Number ${i}`));
  });
});
