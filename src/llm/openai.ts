import { z } from 'zod';
import type { Provider } from '../core/ports.js';
import { droppedParams, runCall } from './call.js';
import { type ChatServer, createChatClient } from './openai-chat.js';
import { type ProviderContext, type ProviderDeclaration, requireKey } from './provider.js';

const section = z.strictObject({ model: z.string().optional(), baseUrl: z.url().optional() });

type Settings = z.output<typeof section> & { apiKey?: string | undefined };

const setUp = 'Set OPENAI_API_KEY.';

/** OpenAI's models by API key. Servers of others that speak the same API are `compatible.ts`. */
export const openai: ProviderDeclaration<Settings> = {
  id: 'openai',
  label: 'OpenAI',
  settings: section,
  environment: {
    apiKey: { name: 'OPENAI_API_KEY', isSecret: true, meaning: 'Key for OpenAI models.' },
    baseUrl: { name: 'OPENAI_BASE_URL', meaning: 'Another address for the OpenAI API, such as https://host/v1.' },
    model: { name: 'AGENT_RUNTIME_OPENAI_MODEL', meaning: 'The OpenAI model when only the vendor is named.' },
  },
  defaultModel: 'gpt-6.1-terra',
  modelStrings: 'openai:ID (openai:gpt-6.1-terra)',
  models: { family: /^(?:gpt-(?!oss)|chatgpt-|o\d)/, aliases: {}, retired: {}, ending: {} },
  setUp,
  isConfigured: ({ apiKey }) => Boolean(apiKey),
  create: (settings, context) => {
    const apiKey = requireKey(settings.apiKey, 'OpenAI', 'OPENAI_API_KEY', setUp);
    return createOpenAi({ ...settings, apiKey }, context);
  },
};

/** Models that think before they answer take neither sampling parameters nor stop sequences. */
const withoutSampling = /^(?:o\d|gpt-(?:[5-9]|\d\d)(?!.*chat))/;

/** Speaks Chat Completions as a stream. Throws `ModelError`s. */
export function createOpenAi(
  { apiKey, baseUrl }: { apiKey: string; baseUrl?: string | undefined },
  { stallTimeoutMs }: Pick<ProviderContext, 'stallTimeoutMs'> = {},
): Provider {
  const limits = { vendor: 'OpenAI', stallTimeoutMs };
  const server: ChatServer = {
    names: {
      vendor: 'OpenAI',
      keyFix: 'Set OPENAI_API_KEY to a valid key.',
      baseUrlVariable: 'OPENAI_BASE_URL',
      baseUrl,
    },
    address: baseUrl ?? 'https://api.openai.com/v1',
    apiKey,
    isVendor: true,
  };
  const ask = createChatClient(server);
  return {
    id: 'openai',
    complete: (request) =>
      runCall(request, limits, (call) => {
        const isThinking = withoutSampling.test(request.model);
        const { temperature, top_p, top_k, stop_sequences, num_ctx, ...params } = request.params;
        const sampling = { temperature, top_p, stop_sequences };
        const warnings = [
          ...droppedParams('OpenAI', request.params, ['top_k', 'num_ctx']),
          ...(isThinking ? droppedParams(request.model, sampling, ['temperature', 'top_p', 'stop_sequences']) : []),
        ];
        return ask({ ...request, params: isThinking ? params : { ...params, ...sampling } }, call, warnings);
      }),
  };
}
