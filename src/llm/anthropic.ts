import { Console } from 'node:console';
import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { retryAfterMs } from '../base/backoff.js';
import { messageOf } from '../base/errors.js';
import { isNetworkTimeout, systemCode } from '../base/network-error.js';
import {
  type ModelAnswer,
  ModelError,
  type ModelFailure,
  type ModelRequest,
  type ModelUsage,
  type Provider,
} from '../core/ports.js';
import { type Call, callFetch, cutAnswer, defined, droppedParams, runCall } from './call.js';
import { httpFailure, networkFailure, redact, redactedDetail, type VendorNames } from './failure.js';
import { type ProviderContext, type ProviderDeclaration, requireKey } from './provider.js';

const section = z.strictObject({ model: z.string().optional(), baseUrl: z.url().optional() });

type Settings = z.output<typeof section> & { apiKey?: string | undefined };

const setUp = 'Set ANTHROPIC_API_KEY.';

/** Claude by API key. */
export const anthropic: ProviderDeclaration<Settings> = {
  id: 'anthropic',
  label: 'Anthropic',
  settings: section,
  environment: {
    apiKey: { name: 'ANTHROPIC_API_KEY', isSecret: true, meaning: 'Key for Claude models.' },
    baseUrl: { name: 'ANTHROPIC_BASE_URL', meaning: 'Another address for the Anthropic API.' },
    model: { name: 'AGENT_RUNTIME_ANTHROPIC_MODEL', meaning: 'The Claude model when only the vendor is named.' },
  },
  defaultModel: 'claude-sonnet-5-5',
  modelStrings: 'a Claude id or alias (claude-sonnet-5-5, sonnet, opus, haiku)',
  models: {
    family: /^claude/,
    aliases: {
      claude: 'claude-sonnet-5-5',
      sonnet: 'claude-sonnet-5-5',
      opus: 'claude-opus-5-5',
      haiku: 'claude-haiku-5-5',
      fable: 'claude-fable-5-2',
    },
    retired: {
      'claude-3*-opus*': 'opus',
      'claude-3*-sonnet*': 'sonnet',
      'claude-3*-haiku*': 'haiku',
      'claude-instant*': 'haiku',
      'claude-2*': 'sonnet',
      'claude-sonnet-4-0': 'sonnet',
      'claude-sonnet-4-2025*': 'sonnet',
      'claude-opus-4-0': 'opus',
      'claude-opus-4-2025*': 'opus',
      'claude-opus-4-1': 'opus',
      'claude-opus-4-1-*': 'opus',
    },
    ending: { 'claude-sonnet-4-5*': '2026-11-30' },
  },
  setUp,
  isConfigured: ({ apiKey }) => Boolean(apiKey),
  create: (settings, context) => {
    const apiKey = requireKey(settings.apiKey, 'Anthropic', 'ANTHROPIC_API_KEY', setUp);
    return createAnthropic({ ...settings, apiKey }, context);
  },
};

interface Connection {
  apiKey: string;
  baseUrl?: string | undefined;
}

/** Speaks the Messages API as a stream. Throws `ModelError`s. */
export function createAnthropic(
  settings: Connection,
  { stallTimeoutMs }: Pick<ProviderContext, 'stallTimeoutMs'> = {},
): Provider {
  const limits = { vendor: 'Anthropic', stallTimeoutMs };
  return {
    id: 'anthropic',
    complete: (request) => runCall(request, limits, (call) => converse(settings, request, call)),
  };
}

/** Thinking counts as output, so the cap leaves room for it. Unused room costs nothing. */
const defaultMaxTokens = 16_384;

/** Models with adaptive thinking answer 400 to any sampling parameter (platform.claude.com, migration guides). */
const withoutSampling = /^claude-(?:[a-z]+-5(?:-|$)|opus-4-[78](?:-|$))/;

async function converse(settings: Connection, request: ModelRequest, call: Call): Promise<ModelAnswer> {
  const sdk = await import('@anthropic-ai/sdk');
  const client = new sdk.default({
    apiKey: settings.apiKey,
    // Null rather than absent: without it the SDK would read ANTHROPIC_BASE_URL itself.
    baseURL: settings.baseUrl ?? null,
    maxRetries: 0,
    fetch: callFetch(call),
    openTelemetry: false,
    // The SDK's default logger writes to stdout, which belongs to the protocol, and its logs hold prompts.
    logLevel: 'off',
    logger: new Console(process.stderr),
  });
  let hasBegun = false;
  try {
    const { body, warnings } = await writeRequest(request);
    const stream = await client.messages.create(body, { signal: call.signal });
    hasBegun = true;
    return await readStream(stream, request, call, warnings);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw toModelError(sdk, error, { settings, model: request.model, hasBegun, usage: call.usage });
  }
}

async function writeRequest(request: ModelRequest) {
  const { model, prompt, system, history = [], params } = request;
  const warnings = droppedParams('Anthropic', params, ['num_ctx']);
  const takesSampling = !withoutSampling.test(model);
  if (!takesSampling) warnings.push(...droppedParams(model, params, ['temperature', 'top_p', 'top_k']));
  const body: Anthropic.MessageCreateParamsStreaming = {
    model,
    max_tokens: params.max_tokens ?? defaultMaxTokens,
    messages: [
      ...history.flatMap((said): Anthropic.MessageParam[] => [
        { role: 'user', content: said.prompt },
        { role: 'assistant', content: said.answer },
      ]),
      { role: 'user', content: prompt },
    ],
    stream: true,
    ...defined({ system, stop_sequences: params.stop_sequences }),
    ...(takesSampling
      ? defined({ temperature: params.temperature, top_p: params.top_p, top_k: params.top_k })
      : undefined),
  };
  if (params.json_schema) {
    // The API takes a strict subset of JSON Schema. The SDK's own helper converts to it.
    const { transformJSONSchema } = await import('@anthropic-ai/sdk/lib/transform-json-schema');
    body.output_config = { format: { type: 'json_schema', schema: { ...transformJSONSchema(params.json_schema) } } };
  }
  return { body, warnings };
}

async function readStream(
  stream: AsyncIterable<Anthropic.RawMessageStreamEvent>,
  request: ModelRequest,
  call: Call,
  warnings: string[],
): Promise<ModelAnswer> {
  let model: string | undefined;
  let usage: ModelUsage = { inputTokens: 0, outputTokens: 0 };
  let end: Anthropic.RawMessageDeltaEvent.Delta | undefined;
  let isComplete = false;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        model = event.message.model;
        usage = {
          inputTokens: inputTokens(event.message.usage),
          outputTokens: event.message.usage.output_tokens,
          ...cachedTokens(event.message.usage),
        };
        call.spent(usage);
        break;
      case 'content_block_start':
        if (event.content_block.type === 'text') call.text(event.content_block.text);
        break;
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') call.text(event.delta.text);
        break;
      case 'message_delta':
        end = event.delta;
        usage = {
          ...usage,
          // The last event repeats the input tokens. A zero there means that a gateway left them out.
          inputTokens: inputTokens(event.usage) || usage.inputTokens,
          outputTokens: event.usage.output_tokens,
          ...cachedTokens(event.usage),
        };
        call.spent(usage);
        break;
      case 'message_stop':
        isComplete = true;
        break;
    }
  }
  // The SDK's loop ends without an error on an abort as well; `runCall` has already rejected then.
  if (!isComplete || !end?.stop_reason) throw cutAnswer('Anthropic', request.model, { usage });
  if (end.stop_reason === 'refusal') {
    const reason = [end.stop_details?.category, end.stop_details?.explanation].filter(Boolean).join(': ');
    throw new ModelError('refused', `${request.model} refused to answer. Change the prompt, or use another model.`, {
      detail: redactedDetail(reason),
      usage,
    });
  }
  return call.answer({ model: model ?? request.model, stopReason: end.stop_reason, usage, warnings });
}

/** All input tokens, cached or not: the budget counts tokens, not prices. */
function inputTokens(usage: Anthropic.Usage | Anthropic.MessageDeltaUsage): number {
  return (usage.input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0);
}

/** Those of the input tokens that have another price. */
function cachedTokens(usage: Anthropic.Usage | Anthropic.MessageDeltaUsage): Partial<ModelUsage> {
  return {
    ...(usage.cache_read_input_tokens ? { cacheReadTokens: usage.cache_read_input_tokens } : {}),
    ...(usage.cache_creation_input_tokens ? { cacheWriteTokens: usage.cache_creation_input_tokens } : {}),
  };
}

interface Circumstances {
  settings: Connection;
  model: string;
  /** Whether the vendor had accepted the request, so that an error means a cut answer. */
  hasBegun: boolean;
  usage: ModelUsage | undefined;
}

function toModelError(
  sdk: typeof import('@anthropic-ai/sdk'),
  error: unknown,
  { settings, model, hasBegun, usage }: Circumstances,
): ModelError {
  const address = settings.baseUrl ?? 'https://api.anthropic.com';
  const words = messageOf(error);
  const detail = redactedDetail(words, [settings.apiKey]);
  if (error instanceof sdk.APIConnectionTimeoutError || isNetworkTimeout(error)) {
    return new ModelError('timeout', `Anthropic at ${redact(address)} did not answer in time. Try again.`, { usage });
  }
  if (error instanceof sdk.APIConnectionError || systemCode(error) === 'ERR_INVALID_URL')
    return networkFailure('Anthropic', address, error);
  if (error instanceof sdk.APIError) {
    return httpFailure(
      { ...names, baseUrl: settings.baseUrl },
      {
        status: error.status,
        model,
        failure: failuresByType.get(error.type ?? ''),
        retryAfterMs: retryAfterMs(error.headers),
        detail: redactedDetail(error.apiMessage ?? words, [settings.apiKey]),
        usage,
      },
    );
  }
  if (hasBegun) return cutAnswer('Anthropic', model, { detail, usage, cause: error });
  return new ModelError('invalid_request', `The request to ${model} cannot be sent to Anthropic.`, { detail });
}

const names: VendorNames = {
  vendor: 'Anthropic',
  keyFix: 'Set ANTHROPIC_API_KEY to a valid key.',
  baseUrlVariable: 'ANTHROPIC_BASE_URL',
};

/** An error event in the middle of a stream has no status, only this type. A bare `api_error` has no meaning. */
const failuresByType = new Map<string, ModelFailure>([
  ['authentication_error', 'auth'],
  ['permission_error', 'auth'],
  ['billing_error', 'exhausted'],
  ['not_found_error', 'not_found'],
  ['invalid_request_error', 'invalid_request'],
  ['rate_limit_error', 'rate_limited'],
  ['timeout_error', 'timeout'],
  ['overloaded_error', 'overloaded'],
]);
