import { z } from 'zod';
import type { Provider } from '../core/ports.js';
import { droppedParams, runCall } from './call.js';
import { createChatClient } from './openai-chat.js';
import { type ProviderContext, type ProviderDeclaration, requireKey } from './provider.js';

const variable = z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable');

const server = z.strictObject({
  kind: z.literal('openai').describe('Speaks the Chat Completions API of OpenAI.'),
  baseUrl: z.url().describe('Where it listens, such as http://127.0.0.1:1234/v1.'),
  apiKeyEnv: variable.optional().describe('The variable with its key; none for a server that asks for none.'),
  model: z.string().optional().describe('The model when only its name is given; otherwise the first that it lists.'),
  models: z.record(z.string(), z.string()).optional().describe('Short names of its models.'),
  headers: z.record(z.string(), z.string()).optional().describe('Extra headers. Their values are treated as secrets.'),
});

export type CompatibleServer = z.output<typeof server>;

const section = z.record(z.string(), server);

type Section = z.output<typeof section>;

/** Servers that speak OpenAI's API, each a provider of its own: `providers.NAME` with `kind: "openai"`. */
export const compatible: ProviderDeclaration<Section> = {
  id: 'compatible',
  kind: 'openai',
  label: 'Servers with that API',
  settings: section,
  environment: {},
  defaultModel: '',
  modelStrings: 'NAME:MODEL for a server that the config file names',
  setUp: 'Name it as providers.NAME with kind "openai".',
  names: (servers) => Object.keys(servers),
  setUpOf: (servers, name) => `Set ${servers[name]?.apiKeyEnv}.`,
  modelsOf: (servers, name) => ({ model: servers[name]?.model, aliases: servers[name]?.models }),
  isConfigured: (servers, { env }, name) => {
    const key = servers[name]?.apiKeyEnv;
    return key === undefined || Boolean(env[key]);
  },
  secretVariables: keysOf,
  passedOn: keysOf,
  secrets: (servers) => Object.values(servers).flatMap(({ headers }) => Object.values(headers ?? {})),
  create(servers, context, name) {
    const chosen = servers[name] as CompatibleServer;
    const apiKey =
      chosen.apiKeyEnv === undefined
        ? undefined
        : requireKey(context.env[chosen.apiKeyEnv], name, chosen.apiKeyEnv, `Set ${chosen.apiKeyEnv}.`);
    return createCompatible({ ...chosen, name, apiKey }, context);
  },
};

function keysOf(servers: Section): string[] {
  return Object.values(servers).flatMap(({ apiKeyEnv }) => apiKeyEnv ?? []);
}

/** Speaks Chat Completions as a stream. Throws `ModelError`s. */
export function createCompatible(
  settings: Pick<CompatibleServer, 'baseUrl' | 'apiKeyEnv' | 'headers'> & { name: string; apiKey?: string | undefined },
  { stallTimeoutMs }: Pick<ProviderContext, 'stallTimeoutMs'> = {},
): Provider {
  const { name, baseUrl, apiKeyEnv, apiKey, headers } = settings;
  const setting = `providers.${name}`;
  const keyFix =
    apiKeyEnv === undefined
      ? `Name the variable with its key: ${setting}.apiKeyEnv in the config file.`
      : `Set ${apiKeyEnv} to a valid key.`;
  const names = { vendor: name, keyFix, baseUrlVariable: `${setting}.baseUrl`, baseUrl };
  const ask = createChatClient({ names, address: baseUrl, apiKey, headers, isVendor: false });
  return {
    id: name,
    complete: (request) =>
      runCall(request, { vendor: name, stallTimeoutMs }, (call) =>
        ask(request, call, droppedParams(name, request.params, ['num_ctx'])),
      ),
  };
}
