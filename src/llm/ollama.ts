import type { ChatRequest, ChatResponse, Ollama } from 'ollama';
import { messageOf } from '../base/errors.js';
import { isNetworkTimeout } from '../base/network-error.js';
import { retryAfterMs } from '../base/retry-after.js';
import { type ModelAnswer, ModelError, type ModelRequest, type ModelUsage, type Provider } from '../core/ports.js';
import { type Call, cutAnswer, runCall } from './call.js';
import { callFetch } from './call-fetch.js';
import { defined } from './defined.js';
import { httpFailure, type VendorNames } from './http-failure.js';
import { networkFailure } from './network-failure.js';
import { redactedDetail } from './redact.js';
import type { OllamaSettings } from './settings.js';

/** Local models over Ollama's chat API as a stream. Throws `ModelError`s. */
export function createOllama(settings: OllamaSettings & { stallTimeoutMs?: number | undefined }): Provider {
  const limits = { vendor: 'Ollama', stallTimeoutMs: settings.stallTimeoutMs };
  const server = readServer(settings);
  return {
    id: 'ollama',
    complete: (request) => runCall(request, limits, (call) => converse(server, settings, request, call)),
  };
}

const defaultHost = 'http://127.0.0.1:11434';
const defaultNumCtx = 8192;

interface Server {
  /** Without a user and password, which fetch refuses in a URL; they become a header. */
  host: string;
  headers: Record<string, string>;
  secrets: string[];
}

function readServer({ baseUrl = defaultHost, headers = {} }: OllamaSettings): Server {
  const login = /^(\w+:\/\/)([^/@]+)@/.exec(baseUrl);
  if (!login?.[2]) return { host: baseUrl, headers, secrets: Object.values(headers) };
  const authorization = `Basic ${Buffer.from(decodeURIComponent(login[2])).toString('base64')}`;
  return {
    host: baseUrl.replace(login[0], login[1] ?? ''),
    headers: { authorization, ...headers },
    secrets: [login[2], authorization, ...Object.values(headers)],
  };
}

/** What an error message has to name, as far as the call has come. */
interface Circumstances {
  server: Server;
  model: string;
  /** Whether the server had accepted the request, so that an error means a cut answer. */
  hasBegun: boolean;
}

async function converse(
  server: Server,
  settings: OllamaSettings,
  request: ModelRequest,
  call: Call,
): Promise<ModelAnswer> {
  const { Ollama } = await import('ollama');
  const circumstances = { server, model: request.model || settings.model || '', hasBegun: false };
  try {
    // One client a call: its `abort()` would end all calls, so the call's own signal goes in through fetch.
    const client = new Ollama({ host: server.host, headers: server.headers, fetch: ollamaFetch(circumstances, call) });
    circumstances.model ||= await firstModel(client, server);
    const { model } = circumstances;
    const numCtx = request.params.num_ctx ?? settings.numCtx ?? defaultNumCtx;
    const stream = await client.chat({ ...writeRequest(request, model, numCtx), stream: true });
    circumstances.hasBegun = true;
    return await readStream(stream, { model, numCtx }, call);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw toModelError(error, circumstances, call.usage);
  }
}

/**
 * Error answers never reach the SDK, which writes to stdout when one is not JSON. Nor do web pages, whose lines it
 * would log one by one.
 */
function ollamaFetch(circumstances: Circumstances, call: Call): typeof fetch {
  const fetchForCall = callFetch(call);
  return async (input, init) => {
    const response = await fetchForCall(input, init);
    if (!response.ok) throw statusFailure(response, await response.text(), circumstances);
    if (response.headers.get('content-type')?.includes('html')) {
      const message = `${circumstances.server.host} answers with a web page and is not an Ollama server. Check OLLAMA_BASE_URL.`;
      throw new ModelError('invalid_output', message, { status: response.status });
    }
    return response;
  };
}

function statusFailure({ status, headers }: Response, body: string, { server, model }: Circumstances): ModelError {
  const words = errorText(body);
  const detail = redactedDetail(words, server.secrets);
  if (status === 404 && /\bmodel\b/.test(words)) {
    const message = `Ollama has no model ${model}. Get it with: ollama pull ${model}`;
    return new ModelError('not_found', message, { status, detail });
  }
  return httpFailure(
    { ...names, baseUrl: server.host },
    { status, model, retryAfterMs: retryAfterMs(headers), detail },
  );
}

const names: VendorNames = {
  vendor: 'Ollama',
  mendKey: 'Set the headers that the proxy before it asks for.',
  baseUrlVariable: 'OLLAMA_BASE_URL',
};

function errorText(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'error' in parsed ? String(parsed.error) : body;
  } catch {
    return body;
  }
}

async function firstModel(client: Ollama, server: Server): Promise<string> {
  const { models } = await client.list();
  const model = models[0]?.model ?? models[0]?.name;
  if (model) return model;
  const message = `The Ollama server at ${server.host} has no model yet. Get one with: ollama pull llama3.2`;
  throw new ModelError('not_configured', message);
}

function writeRequest({ prompt, system, params }: ModelRequest, model: string, numCtx: number): ChatRequest {
  return {
    model,
    messages: [...(system ? [{ role: 'system', content: system }] : []), { role: 'user', content: prompt }],
    ...defined({ format: params.json_schema }),
    options: {
      num_ctx: numCtx,
      ...defined({
        num_predict: params.max_tokens,
        temperature: params.temperature,
        top_p: params.top_p,
        top_k: params.top_k,
        stop: params.stop_sequences,
      }),
    },
  };
}

async function readStream(
  stream: AsyncIterable<ChatResponse>,
  { model, numCtx }: { model: string; numCtx: number },
  call: Call,
): Promise<ModelAnswer> {
  for await (const chunk of stream) {
    call.text(chunk.message?.content ?? '');
    if (!chunk.done) continue;
    const usage = { inputTokens: chunk.prompt_eval_count ?? 0, outputTokens: chunk.eval_count ?? 0 };
    const isFull = usage.inputTokens + usage.outputTokens >= numCtx;
    return call.answer({
      model: chunk.model || model,
      stopReason: stopReasons.get(chunk.done_reason) ?? chunk.done_reason ?? 'end_turn',
      usage,
      warnings: isFull
        ? [`Prompt and answer fill the context of ${numCtx} tokens, and Ollama cuts silently: raise num_ctx.`]
        : [],
    });
  }
  throw cutAnswer('Ollama', model);
}

const stopReasons = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
]);

function toModelError(
  error: unknown,
  { server, model, hasBegun }: Circumstances,
  usage: ModelUsage | undefined,
): ModelError {
  if (isNetworkTimeout(error) || !hasBegun) {
    return networkFailure('Ollama', server.host, error, { fix: 'Start it with: ollama serve', usage });
  }
  const words = messageOf(error);
  const detail = redactedDetail(words, server.secrets);
  // An error line in the stream reaches us as a plain Error, and so does the SDK's own word on a missing end.
  const isCut = error instanceof TypeError || words.startsWith('Did not receive done');
  return isCut
    ? cutAnswer('Ollama', model, { detail, usage, cause: error })
    : httpFailure(names, { status: undefined, model, detail, usage });
}
