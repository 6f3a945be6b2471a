import type { ChatRequest, ChatResponse, Ollama } from 'ollama';
import { z } from 'zod';
import { retryAfterMs } from '../base/backoff.js';
import { messageOf } from '../base/errors.js';
import { isNetworkTimeout } from '../base/network-error.js';
import { type ModelAnswer, ModelError, type ModelRequest, type ModelUsage, type Provider } from '../core/ports.js';
import { type Call, callFetch, cutAnswer, defined, runCall } from './call.js';
import { httpFailure, networkFailure, redactedDetail, type VendorNames } from './failure.js';
import type { ProviderContext, ProviderDeclaration } from './provider.js';

const section = z.strictObject({
  /** The local model when only `ollama` is named. */
  model: z.string().optional(),
  /** A URL or, from the environment, `host:port`. */
  baseUrl: z.url().optional(),
  /** Context window in tokens unless a call says otherwise. Ollama cuts longer prompts silently. */
  numCtx: z.int().min(256).optional(),
  /** Extra headers, for a server behind a proxy. Their values are treated as secrets. */
  headers: z.record(z.string(), z.string()).optional(),
});

type Settings = z.output<typeof section>;

const defaultHost = 'http://127.0.0.1:11434';

/** Local models. A server may run at the usual address, but only one that was named becomes the default. */
export const ollama: ProviderDeclaration<Settings> = {
  id: 'ollama',
  label: 'Ollama',
  settings: section,
  environment: {
    baseUrl: {
      name: 'OLLAMA_BASE_URL',
      aliases: ['OLLAMA_HOST'],
      default: defaultHost,
      meaning: 'Where Ollama listens.',
    },
    model: {
      name: 'AGENT_RUNTIME_OLLAMA_MODEL',
      meaning: 'The local model when only `ollama` is named; otherwise the first installed.',
    },
  },
  defaultModel: '',
  modelStrings: 'ollama:NAME for a local model',
  setUp: 'Set OLLAMA_BASE_URL, or name a local model as ollama:NAME.',
  worksUnconfigured: true,
  isConfigured: ({ baseUrl, model }) => Boolean(baseUrl || model),
  create: (settings, context) => createOllama(settings, context),
};

/** Speaks Ollama's chat API as a stream. Throws `ModelError`s. */
export function createOllama(
  settings: Settings,
  { stallTimeoutMs }: Pick<ProviderContext, 'stallTimeoutMs'> = {},
): Provider {
  const limits = { vendor: 'Ollama', stallTimeoutMs };
  const server = readServer(settings);
  return {
    id: 'ollama',
    complete: (request) => runCall(request, limits, (call) => converse(server, settings, request, call)),
  };
}

const defaultNumCtx = 8192;

interface Server {
  /** Without a user and password, which fetch refuses in a URL. They become a header. */
  host: string;
  headers: Record<string, string>;
  secrets: string[];
}

function readServer({ baseUrl = defaultHost, headers = {} }: Settings): Server {
  const login = /^(\w+:\/\/)([^/@]+)@/.exec(baseUrl);
  if (!login?.[2]) return { host: baseUrl, headers, secrets: Object.values(headers) };
  const authorization = `Basic ${Buffer.from(decodeURIComponent(login[2])).toString('base64')}`;
  return {
    host: baseUrl.replace(login[0], login[1] ?? ''),
    headers: { authorization, ...headers },
    secrets: [login[2], authorization, ...Object.values(headers)],
  };
}

/** What an error message names, as far as it is known. */
interface Circumstances {
  server: Server;
  model: string;
  /** Whether the server had accepted the request, so that an error means a cut answer. */
  hasBegun: boolean;
}

async function converse(server: Server, settings: Settings, request: ModelRequest, call: Call): Promise<ModelAnswer> {
  const { Ollama } = await import('ollama');
  const circumstances = { server, model: request.model || settings.model || '', hasBegun: false };
  try {
    // The call's own signal goes in through fetch: the client's `abort()` would end all of its calls.
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
 * Keeps from the SDK what is not Ollama's: it writes to stdout when an error is not JSON, and logs every line of an
 * answer that is none.
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
    if (!response.body || !String(input).endsWith('/api/chat')) return response;
    return new Response(response.body.pipeThrough(refuseOtherLines(circumstances)), response);
  };
}

/** Fails at the first line that is not JSON, and passes everything before it on as it came. */
function refuseOtherLines({ server }: Circumstances): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let line = '';
  return new TransformStream({
    transform(piece, controller) {
      const [first = '', ...more] = decoder.decode(piece, { stream: true }).split('\n');
      line += first;
      for (const next of more) {
        if (line.trim() !== '' && !isJson(line)) {
          const message = `${server.host} answers with lines that are not JSON and is not an Ollama server. Check OLLAMA_BASE_URL.`;
          return controller.error(new ModelError('invalid_output', message, { detail: redactedDetail(line) }));
        }
        line = next;
      }
      controller.enqueue(piece);
    },
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
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
  keyFix: 'Set the headers that its proxy requires: providers.ollama.headers in the config file.',
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

function writeRequest(
  { prompt, system, history = [], params }: ModelRequest,
  model: string,
  numCtx: number,
): ChatRequest {
  return {
    model,
    messages: [
      ...(system ? [{ role: 'system', content: system }] : []),
      ...history.flatMap((said) => [
        { role: 'user', content: said.prompt },
        { role: 'assistant', content: said.answer },
      ]),
      { role: 'user', content: prompt },
    ],
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
  // An error line in the stream is a plain Error here, and so is the SDK's own message about a missing end.
  const isCut = error instanceof TypeError || words.startsWith('Did not receive done');
  return isCut
    ? cutAnswer('Ollama', model, { detail, usage, cause: error })
    : httpFailure(names, { status: undefined, model, detail, usage });
}
