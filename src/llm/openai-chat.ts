import { Console } from 'node:console';
import type OpenAI from 'openai';
import { retryAfterMs } from '../base/backoff.js';
import { messageOf } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { isNetworkTimeout, systemCode } from '../base/network-error.js';
import { type ModelAnswer, ModelError, type ModelFailure, type ModelRequest, type ModelUsage } from '../core/ports.js';
import { type Call, callFetch, cutAnswer, defined } from './call.js';
import { failureOfStatus, httpFailure, networkFailure, redact, redactedDetail, type VendorNames } from './failure.js';
import { isStrictSchema } from './strict-schema.js';

/** A server that speaks the Chat Completions API (platform.openai.com, API reference, chat). */
export interface ChatServer {
  names: VendorNames;
  address: string;
  /** Undefined for a server that asks for none. */
  apiKey: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** OpenAI itself, whose newer models know `max_tokens` by another name. */
  isVendor: boolean;
}

/** What some servers do not know, and refuse with the request: it is left out then, for the life of the client. */
type Extra = 'response_format' | 'stream_options';

/** Asks one server. What it lacks is found out by the first request that it refuses for it. */
export function createChatClient(server: ChatServer) {
  const lacks = new Set<Extra>();
  return async (request: ModelRequest, call: Call, warnings: readonly string[]): Promise<ModelAnswer> => {
    const sdk = await import('openai');
    const client = new sdk.default({
      // The SDK does not start without one. Which header it becomes is said below.
      apiKey: server.apiKey ?? 'none',
      adminAPIKey: null,
      baseURL: server.address,
      // Null rather than absent: without it the SDK would read variables itself.
      ...{ organization: null, project: null, webhookSecret: null },
      maxRetries: 0,
      fetch: chatFetch(server, request.model, call),
      defaultHeaders: { ...(server.apiKey === undefined ? { authorization: null } : {}), ...server.headers },
      // Its default logger writes to stdout, which belongs to the protocol, and its logs hold prompts.
      logLevel: 'off',
      logger: new Console(process.stderr),
    });
    const state: State = { model: request.model, hasBegun: false };
    try {
      state.model ||= await firstModel(client, server);
      const stream = await begin(client, { ...request, model: state.model }, { server, call, lacks });
      state.hasBegun = true;
      const lost = request.params.json_schema && lacks.has('response_format') ? [withoutSchema(server)] : [];
      return await readStream(stream, state.model, { server, call, warnings: [...warnings, ...lost] });
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw toModelError(sdk, error, server, state, call.usage);
    }
  };
}

interface State {
  model: string;
  /** Whether the server had accepted the request, so that an error means a cut answer. */
  hasBegun: boolean;
}

const withoutSchema = ({ names }: ChatServer) =>
  `${names.vendor} enforces no JSON schema, so the model was only told of it.`;

/** A web page with status 200 is no answer, though the SDK would read it as an empty one. */
function chatFetch({ names }: ChatServer, model: string, call: Call): typeof fetch {
  const fetchForCall = callFetch(call);
  return async (input, init) => {
    const response = await fetchForCall(input, init);
    if (!response.ok || !response.headers.get('content-type')?.includes('html')) return response;
    const message = `${names.vendor} answers ${model} with a web page: that is no API. Check ${names.baseUrlVariable}.`;
    throw new ModelError('invalid_output', message, { status: response.status });
  };
}

async function firstModel(client: OpenAI, { names }: ChatServer): Promise<string> {
  const { data } = await client.models.list();
  const model = Array.isArray(data) ? data[0]?.id : undefined;
  if (typeof model === 'string') return model;
  throw new ModelError('not_configured', `${names.vendor} lists no model. Load one there, or name it after the colon.`);
}

interface Asking {
  server: ChatServer;
  call: Call;
  lacks: Set<Extra>;
}

/** Sends the request, and once more without what the server says that it does not know. */
async function begin(client: OpenAI, request: ModelRequest, { server, call, lacks }: Asking) {
  for (;;) {
    const body = writeRequest(request, server, lacks);
    try {
      return await client.chat.completions.create(body, { signal: call.signal });
    } catch (error) {
      const extra = refusedExtra(error, body);
      if (extra === undefined) throw error;
      lacks.add(extra);
    }
  }
}

function refusedExtra(error: unknown, body: object): Extra | undefined {
  if (!isObject(error) || (error.status !== 400 && error.status !== 422)) return undefined;
  const words = JSON.stringify([error.param, error.message, error.error]);
  const hints: Record<Extra, RegExp> = {
    response_format: /response_format|json_schema|structured output/i,
    stream_options: /stream_options|include_usage/i,
  };
  return (['response_format', 'stream_options'] as const).find((extra) => extra in body && hints[extra].test(words));
}

function writeRequest(
  { model, prompt, system, history = [], params }: ModelRequest,
  { isVendor }: ChatServer,
  lacks: ReadonlySet<Extra>,
): OpenAI.ChatCompletionCreateParamsStreaming {
  const schema = params.json_schema;
  const inWords = schema && lacks.has('response_format') ? [schemaInWords(schema)] : [];
  const instructions = [...(system ? [system] : []), ...inWords].join('\n\n');
  const format = schema && inWords.length === 0 ? formatOf(schema) : undefined;
  const longest = isVendor ? { max_completion_tokens: params.max_tokens } : { max_tokens: params.max_tokens };
  return {
    model,
    messages: [
      ...(instructions ? [{ role: 'system' as const, content: instructions }] : []),
      ...history.flatMap((said) => [
        { role: 'user' as const, content: said.prompt },
        { role: 'assistant' as const, content: said.answer },
      ]),
      { role: 'user', content: prompt },
    ],
    stream: true,
    ...(lacks.has('stream_options') ? {} : { stream_options: { include_usage: true } }),
    ...defined({
      ...longest,
      temperature: params.temperature,
      top_p: params.top_p,
      // Not in OpenAI's own API; vLLM, llama.cpp and OpenRouter take it.
      top_k: params.top_k,
      stop: params.stop_sequences,
      response_format: format,
    }),
  };
}

function formatOf({ $schema: _, ...schema }: Record<string, unknown>) {
  return { type: 'json_schema' as const, json_schema: { name: 'answer', schema, strict: isStrictSchema(schema) } };
}

const schemaInWords = (schema: object): string =>
  `Answer with JSON alone, which follows this JSON schema:\n${JSON.stringify(schema)}`;

/** What an answer is read with. */
interface Reading {
  server: ChatServer;
  call: Call;
  warnings: string[];
}

async function readStream(
  stream: AsyncIterable<OpenAI.ChatCompletionChunk>,
  asked: string,
  { server, call, warnings }: Reading,
): Promise<ModelAnswer> {
  const { vendor } = server.names;
  let model = asked;
  let usage: ModelUsage | undefined;
  let end: string | undefined;
  let refusal = '';
  for await (const chunk of stream) {
    if (chunk.model) model = chunk.model;
    if (chunk.usage) {
      usage = readUsage(chunk.usage);
      call.spent(usage);
    }
    const choice = chunk.choices?.[0];
    refusal += choice?.delta?.refusal ?? '';
    call.text(choice?.delta?.content ?? '');
    end = choice?.finish_reason ?? end;
  }
  if (end === undefined) throw cutAnswer(vendor, asked, { usage });
  if (end === 'content_filter' || refusal !== '') {
    throw new ModelError('refused', `${asked} refused to answer. Change the prompt, or use another model.`, {
      detail: redactedDetail(refusal),
      usage,
    });
  }
  const unknown: ModelUsage = { inputTokens: 0, outputTokens: 0, isUnknown: true };
  return call.answer({ model, stopReason: stopReasons.get(end) ?? end, usage: usage ?? unknown, warnings });
}

const stopReasons = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
]);

/** The cached tokens are in the prompt's already. OpenRouter also says what it takes for the call, in US dollars. */
function readUsage(usage: OpenAI.CompletionUsage & { cost?: unknown }): ModelUsage {
  const cached = usage.prompt_tokens_details?.cached_tokens;
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    ...(cached ? { cacheReadTokens: cached } : {}),
    ...(typeof usage.cost === 'number' ? { costUsd: usage.cost } : {}),
  };
}

function toModelError(
  sdk: typeof import('openai'),
  error: unknown,
  { names, address, apiKey, headers = {} }: ChatServer,
  { model, hasBegun }: State,
  usage: ModelUsage | undefined,
): ModelError {
  const { vendor } = names;
  const secrets = [apiKey, ...Object.values(headers)];
  const detail = redactedDetail(messageOf(error), secrets);
  if (error instanceof sdk.APIConnectionTimeoutError || isNetworkTimeout(error)) {
    return new ModelError('timeout', `${vendor} at ${redact(address)} did not answer in time. Try again.`, { usage });
  }
  // The SDK wraps what our own fetch throws.
  if (error instanceof sdk.APIConnectionError && error.cause instanceof ModelError) return error.cause;
  if (error instanceof sdk.APIConnectionError || systemCode(error) === 'ERR_INVALID_URL') {
    return networkFailure(vendor, address, error);
  }
  if (error instanceof sdk.APIError) {
    const { status } = error;
    return httpFailure(names, {
      ...{ status, model, detail, usage },
      failure: failureOfCode(error.code, error.type, status),
      retryAfterMs: retryAfterMs(error.headers),
    });
  }
  if (hasBegun) return cutAnswer(vendor, model, { detail, usage, cause: error });
  return new ModelError('invalid_request', `The request to ${model} cannot be sent to ${vendor}.`, { detail });
}

/** What the error's own words say beyond the status; the middle of a stream has no other. */
function failureOfCode(code: unknown, type: unknown, status: number | undefined): ModelFailure | undefined {
  if (code === 'insufficient_quota' || type === 'insufficient_quota') return 'exhausted';
  if (code === 'model_not_found') return 'not_found';
  if (code === 'content_filter' || code === 'content_policy_violation') return 'refused';
  if (status !== undefined) return undefined;
  if (code === 'rate_limit_exceeded' || type === 'rate_limit_error') return 'rate_limited';
  // OpenRouter has the status that its own source gave as the code.
  return typeof code === 'number' ? failureOfStatus(code) : undefined;
}
