import type { GenerateContentResponse, GenerationConfig } from '@google/generative-ai';
import { z } from 'zod';
import { messageOf } from '../base/errors.js';
import {
  type ModelAnswer,
  ModelError,
  type ModelFailure,
  type ModelRequest,
  type ModelUsage,
  type Provider,
} from '../core/ports.js';
import { type Call, cutAnswer, defined, droppedParams, runCall } from './call.js';
import { httpFailure, networkFailure, redactedDetail, type VendorNames } from './failure.js';
import { type ProviderContext, type ProviderDeclaration, requireKey } from './provider.js';

const section = z.strictObject({ model: z.string().optional(), baseUrl: z.url().optional() });

type Settings = z.output<typeof section> & { apiKey?: string | undefined };

const setUp = 'Set GOOGLE_API_KEY (or GEMINI_API_KEY).';

/** Gemini by API key. */
export const google: ProviderDeclaration<Settings> = {
  id: 'google',
  label: 'Google',
  settings: section,
  environment: {
    apiKey: {
      name: 'GOOGLE_API_KEY',
      aliases: ['GEMINI_API_KEY'],
      isSecret: true,
      meaning: 'Key for Gemini models.',
    },
    baseUrl: { name: 'GOOGLE_BASE_URL', meaning: 'Another address for the Gemini API.' },
    model: { name: 'AGENT_RUNTIME_GOOGLE_MODEL', meaning: 'The Gemini model when only the vendor is named.' },
  },
  defaultModel: 'gemini-3.8-flash',
  modelStrings: 'a Gemini id (gemini-3.8-flash)',
  models: {
    family: /^(models\/)?gemini/,
    prefix: /^models\//,
    aliases: { gemini: 'gemini-3.8-flash' },
    retired: {
      'gemini-2.0-flash-lite*': 'gemini-3.5-flash-lite',
      'gemini-2.5-flash-lite*': 'gemini-3.5-flash-lite',
      'gemini-2.5-pro*': 'gemini-3.1-pro-preview',
      'gemini-2.5-flash*': 'gemini-3.8-flash',
      'gemini-2.0-*': 'gemini-3.8-flash',
      'gemini-1.*': 'gemini-3.8-flash',
      'gemini-pro': 'gemini-3.8-flash',
      'gemini-pro-vision': 'gemini-3.8-flash',
    },
    ending: {},
  },
  setUp,
  isConfigured: ({ apiKey }) => Boolean(apiKey),
  create: (settings, context) => {
    const apiKey = requireKey(settings.apiKey, 'Google', 'GOOGLE_API_KEY', setUp);
    return createGoogle({ ...settings, apiKey }, context);
  },
};

interface Connection {
  apiKey: string;
  baseUrl?: string | undefined;
}

/**
 * Speaks the Gemini API as a stream. `@google/generative-ai` gets no more releases, so this file makes up for what it
 * lacks. Throws `ModelError`s.
 */
export function createGoogle(
  settings: Connection,
  { stallTimeoutMs }: Pick<ProviderContext, 'stallTimeoutMs'> = {},
): Provider {
  const limits = { vendor: 'Google', stallTimeoutMs };
  return {
    id: 'google',
    complete: (request) => runCall(request, limits, (call) => converse(settings, request, call)),
  };
}

async function converse(settings: Connection, request: ModelRequest, call: Call): Promise<ModelAnswer> {
  const sdk = await import('@google/generative-ai');
  let hasBegun = false;
  try {
    // Without the `timeout` option: the SDK never clears its timer, which would keep the process alive.
    const model = new sdk.GoogleGenerativeAI(settings.apiKey).getGenerativeModel(
      { model: request.model, generationConfig: writeConfig(request) },
      defined({ baseUrl: settings.baseUrl?.replace(/\/+$/, '') }),
    );
    const result = await model.generateContentStream(
      {
        contents: [{ role: 'user', parts: [{ text: request.prompt }] }],
        ...defined({ systemInstruction: request.system }),
      },
      { signal: call.signal },
    );
    // This second copy of the stream is not read, and its unhandled rejection would end the process.
    result.response.catch(() => {});
    hasBegun = true;
    return await readStream(result.stream, request, call);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw toModelError(sdk, error, { settings, model: request.model, hasBegun, usage: call.usage });
  }
}

function writeConfig({ params }: ModelRequest): GenerationConfig {
  // The SDK's types are older than `responseJsonSchema`, which takes JSON Schema as it is. It sends unknown fields too.
  const structure = params.json_schema
    ? { responseMimeType: 'application/json', responseJsonSchema: params.json_schema }
    : undefined;
  return {
    ...defined({
      maxOutputTokens: params.max_tokens,
      temperature: params.temperature,
      topP: params.top_p,
      topK: params.top_k,
      stopSequences: params.stop_sequences,
    }),
    ...structure,
  };
}

/** Fields that the API sends today and that the SDK's types lack. */
interface Chunk extends Omit<GenerateContentResponse, 'usageMetadata'> {
  modelVersion?: string;
  usageMetadata?: { promptTokenCount?: number; candidatesTokenCount?: number; thoughtsTokenCount?: number };
  /** Comes with status 200, in the middle of the stream. */
  error?: { code?: number; message?: string };
}

async function readStream(
  stream: AsyncIterable<GenerateContentResponse>,
  request: ModelRequest,
  call: Call,
): Promise<ModelAnswer> {
  let model = request.model;
  let finishReason: string | undefined;
  let usage: ModelUsage = { inputTokens: 0, outputTokens: 0 };
  for await (const chunk of stream as AsyncIterable<Chunk>) {
    call.alive();
    model = chunk.modelVersion ?? model;
    if (chunk.usageMetadata) {
      usage = readUsage(chunk.usageMetadata);
      call.spent(usage);
    }
    if (chunk.error) throw streamError(chunk.error, request.model, usage);
    const blockReason = chunk.promptFeedback?.blockReason;
    if (blockReason) throw refusal(request.model, `the prompt was blocked: ${blockReason}`, usage);
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      const isThought = 'thought' in part && part.thought === true;
      if (part.text && !isThought) call.text(part.text);
    }
    finishReason = candidate?.finishReason ?? finishReason;
  }
  if (finishReason === undefined) throw cutAnswer('Google', request.model, { usage });
  if (refusals.has(finishReason)) throw refusal(request.model, finishReason, usage);
  const stopReason = stopReasons.get(finishReason);
  if (stopReason === undefined) {
    const message = `${request.model} broke off its answer (finishReason ${finishReason}). Try again, or change the prompt.`;
    throw new ModelError('invalid_output', message, { usage });
  }
  return call.answer({ model, stopReason, usage, warnings: droppedParams('Google', request.params, ['num_ctx']) });
}

const stopReasons = new Map([
  ['STOP', 'end_turn'],
  ['MAX_TOKENS', 'max_tokens'],
]);

const refusals = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
]);

/** Thinking is billed as output. */
function readUsage(usage: NonNullable<Chunk['usageMetadata']>): ModelUsage {
  return {
    inputTokens: usage.promptTokenCount ?? 0,
    outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
  };
}

function refusal(model: string, reason: string, usage: ModelUsage): ModelError {
  const message = `${model} refused to answer (${reason}). Change the prompt, or use another model.`;
  return new ModelError('refused', message, { usage });
}

function streamError(error: NonNullable<Chunk['error']>, model: string, usage: ModelUsage): ModelError {
  return httpFailure(names, { status: error.code, model, detail: redactedDetail(error.message ?? ''), usage });
}

interface Circumstances {
  settings: Connection;
  model: string;
  hasBegun: boolean;
  usage: ModelUsage | undefined;
}

function toModelError(
  sdk: typeof import('@google/generative-ai'),
  error: unknown,
  { settings, model, hasBegun, usage }: Circumstances,
): ModelError {
  const words = messageOf(error);
  const detail = redactedDetail(words, [settings.apiKey]);
  if (error instanceof sdk.GoogleGenerativeAIFetchError) {
    const { status, errorDetails = [] } = error;
    return httpFailure(
      { ...names, baseUrl: settings.baseUrl },
      { status, model, failure: failureOf(errorDetails), retryAfterMs: retryDelay(errorDetails), detail, usage },
    );
  }
  if (hasBegun) return cutAnswer('Google', model, { detail, usage, cause: error });
  if (error instanceof sdk.GoogleGenerativeAIError) {
    // The SDK keeps no cause, only its message, which holds no key: the key is sent in a header.
    const address = settings.baseUrl ?? 'https://generativelanguage.googleapis.com';
    return networkFailure('Google', address, error);
  }
  return new ModelError('invalid_request', `The request to ${model} cannot be sent to Google.`, { detail });
}

const names: VendorNames = {
  vendor: 'Google',
  keyFix: 'Set GOOGLE_API_KEY to a valid key.',
  baseUrlVariable: 'GOOGLE_BASE_URL',
};

interface ErrorDetail {
  reason?: string;
  retryDelay?: unknown;
}

/** Google answers a bad key with 400, and only the reason says so. */
function failureOf(details: ErrorDetail[]): ModelFailure | undefined {
  return details.some(({ reason }) => reason === 'API_KEY_INVALID') ? 'auth' : undefined;
}

/** `google.rpc.RetryInfo`, such as `"34.5s"`. The SDK drops the headers, so a retry-after cannot be read. */
function retryDelay(details: ErrorDetail[]): number | undefined {
  const delay = details.find((detail) => typeof detail.retryDelay === 'string')?.retryDelay;
  const seconds = typeof delay === 'string' ? Number.parseFloat(delay) : Number.NaN;
  return Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined;
}
