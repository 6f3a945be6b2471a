import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCustom } from '../../src/llm/custom.js';
import { ask, failureOf, newRequest } from './ask.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'custom-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A provider whose `complete(request)` has this body. */
async function connect(body: string) {
  return load(`export default { async complete(request) { ${body} } };`);
}

async function load(source: string) {
  const path = join(directory, `${Math.random()}.mjs`);
  await writeFile(path, source);
  return createCustom({ name: 'mine', path });
}

it('answers with a module of the user’s own, made by defineProvider', async () => {
  const path = fileURLToPath(new URL('../fixtures/models/echo-provider.ts', import.meta.url));
  const provider = createCustom({ name: 'echo', path });
  expect(provider.id).toBe('custom:echo');
  const request = newRequest({ model: 'loud' });
  expect(await provider.complete(request)).toEqual({
    text: 'HELLO THERE',
    model: 'loud',
    stopReason: 'end_turn',
    usage: { inputTokens: 2, outputTokens: 2 },
    warnings: [],
  });
  expect(request.pieces).toEqual(['HELLO ', 'THERE']);
});

it('needs no more than a text, and hands it over if the module did not', async () => {
  const request = newRequest();
  const answer = await (await connect('return { text: request.prompt };')).complete(request);
  expect(answer).toMatchObject({
    text: 'Hello there',
    model: 'test-model',
    usage: { inputTokens: 0, outputTokens: 0 },
  });
  expect(request.pieces).toEqual(['Hello there']);
});

it.each([
  'for (;;) onText("x".repeat(10_000));',
  'return { text: "x".repeat(2_000_000) };',
  'onText("short"); return { text: "x".repeat(2_000_000) };',
])('an answer beyond max_tokens is cut: %s', async (body) => {
  const provider = await connect(`const { onText } = request; ${body}`);
  const request = newRequest({ params: { max_tokens: 100 } });
  expect(await failureOf(provider.complete(request))).toMatchObject({ failure: 'invalid_output', isTransient: true });
  expect(request.pieces.join('').length).toBeLessThanOrEqual(1_001_600);
});

it('names the path and the reason when the module cannot be loaded', async () => {
  const missing = createCustom({ name: 'mine', path: join(directory, 'missing.mjs') });
  const error = await failureOf(ask(missing));
  expect(error).toMatchObject({ failure: 'not_configured', isTransient: false });
  expect(error.message).toContain(join(directory, 'missing.mjs'));
  const broken = await failureOf(ask(await load('throw new Error("No licence file.");')));
  expect(broken).toMatchObject({ failure: 'not_configured' });
  expect(broken.message).toContain('No licence file.');
});

it.each(['export const x = 1;', 'export default {};', 'export default null;'])(
  'shows how to write the export that is missing in: %s',
  async (source) => {
    const error = await failureOf(ask(await load(source)));
    expect(error).toMatchObject({ failure: 'not_configured' });
    expect(error.message).toContain('export default defineProvider(');
  },
);

it('takes absolute paths only', async () => {
  const error = await failureOf(ask(createCustom({ name: 'mine', path: './provider.mjs' })));
  expect(error).toMatchObject({ failure: 'not_configured' });
  expect(error.message).toContain('./provider.mjs');
});

it('what the module throws fails the call for good, with its words as detail', async () => {
  const provider = await connect('throw new TypeError("Bad sk-abcdefgh12345 here");');
  const error = await failureOf(ask(provider));
  expect(error).toMatchObject({ failure: 'invalid_request', isTransient: false, detail: 'Bad [redacted] here' });
});

it('a ModelError of the module stands, even when it has its own copy of the class', async () => {
  const provider = await connect(
    'throw Object.assign(new Error("Full"), { name: "ModelError", failure: "overloaded" });',
  );
  expect(await failureOf(ask(provider))).toMatchObject({ failure: 'overloaded', isTransient: true, detail: 'Full' });
});

it.each(['return "text";', 'return { text: 1 };', 'return { text: "a", usage: { inputTokens: -1 } };', 'return;'])(
  'does not take for an answer: %s',
  async (body) => {
    const error = await failureOf(ask(await connect(body)));
    expect(error).toMatchObject({ failure: 'invalid_request' });
    expect(error.message).toContain("Return { text: '…' }");
  },
);

it('rejects with cancelled even when the module does not listen', async () => {
  const provider = await connect('request.onText("a"); await new Promise(() => {});');
  const controller = new AbortController();
  const call = ask(provider, { signal: controller.signal, onText: () => controller.abort() });
  expect(await failureOf(call)).toMatchObject({ failure: 'cancelled' });
});
