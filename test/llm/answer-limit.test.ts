import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Provider } from '../../src/core/ports.js';
import { createAnthropic } from '../../src/llm/anthropic.js';
import { createCompatible } from '../../src/llm/compatible.js';
import { createGoogle } from '../../src/llm/google.js';
import { createOllama } from '../../src/llm/ollama.js';
import { createOpenAi } from '../../src/llm/openai.js';
import { ask, failureOf } from './ask.js';

/** Sends a beginning, then the same piece again and again until the client hangs up; counts what it has sent. */
async function endlessServer(status: number, contentType: string, begin: string, piece: string) {
  const sent = { bytes: 0, isHungUp: false };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': contentType });
    response.write(begin);
    response.on('close', () => {
      sent.isHungUp = true;
    });
    const more = () => {
      while (!sent.isHungUp) {
        sent.bytes += piece.length;
        if (!response.write(piece)) return response.once('drain', more);
      }
    };
    more();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

const vendors: [string, (baseUrl: string) => Provider][] = [
  ['Anthropic', (baseUrl) => createAnthropic({ apiKey: 'a-key', baseUrl })],
  ['Google', (baseUrl) => createGoogle({ apiKey: 'a-key', baseUrl })],
  ['OpenAI', (baseUrl) => createOpenAi({ apiKey: 'a-key', baseUrl })],
  ['a server with the API of OpenAI', (baseUrl) => createCompatible({ name: 'vllm', baseUrl })],
  ['Ollama', (baseUrl) => createOllama({ baseUrl })],
];
const shapes: [string, number, string, string, string][] = [
  ['a line', 200, 'text/event-stream', 'data: {"a":"', 'x'.repeat(64_000)],
  ['an event stream without text', 200, 'text/event-stream', ': begin\n\n', ': ping\n\n'.repeat(8_000)],
  ['an error', 503, 'application/json', '{"error":{"message":"', 'x'.repeat(64_000)],
];

describe.each(vendors)('%s', (_, create) => {
  it.each(shapes)('%s without end is cut, and the call fails', async (__, status, contentType, begin, piece) => {
    const { url, sent } = await endlessServer(status, contentType, begin, piece);
    const error = await failureOf(ask(create(url), { params: { max_tokens: 1_000 } }));
    expect(error).toMatchObject({ failure: 'invalid_output', isTransient: true });
    await expect.poll(() => sent.isHungUp).toBe(true);
    // What the sockets hold comes on top of the limit.
    expect(sent.bytes).toBeLessThan(40_000_000);
  });
});
