import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { messageOf } from '../base/errors.js';
import { importFile } from '../base/import-file.js';
import {
  type ModelAnswer,
  ModelError,
  type ModelFailure,
  type ModelRequest,
  modelFailures,
  type Provider,
} from '../core/ports.js';
import { runCall } from './call.js';
import type { CustomAnswer, CustomProvider } from './define-provider.js';
import { redactedDetail } from './failure.js';
import { type ProviderDeclaration, requireKey } from './provider.js';

const module = z.strictObject({
  module: z.string().min(1),
  /** Names of the variables that it reads. */
  env: z.array(z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable')).optional(),
});

const section = z.record(z.string().regex(/^[\w-]+$/), z.union([z.string().min(1), module]));

type Section = z.output<typeof section>;

/** Modules of the user's own, by name: each is the provider `custom:NAME`. See `define-provider.ts`. */
export const custom: ProviderDeclaration<Section> = {
  id: 'custom',
  label: 'Your own module',
  settings: section,
  environment: {},
  defaultModel: '',
  modelStrings: 'custom:NAME for a module of yours',
  setUp: 'Name its module as providers.custom.NAME.',
  names: (modules) => Object.keys(modules),
  isConfigured: () => true,
  secretVariables: variablesOf,
  passedOn: variablesOf,
  create(modules, { env, resolvePath }, name) {
    const { path, variables } = moduleOf(modules[name]);
    for (const variable of variables) {
      requireKey(env[variable], `The provider custom:${name}`, variable, setUpVariable(variable));
    }
    return createCustom({ name, path: resolvePath(path) });
  },
};

function moduleOf(entry: Section[string] | undefined): { path: string; variables: readonly string[] } {
  return typeof entry === 'object'
    ? { path: entry.module, variables: entry.env ?? [] }
    : { path: entry ?? '', variables: [] };
}

function variablesOf(modules: Section): string[] {
  return Object.values(modules).flatMap((entry) => moduleOf(entry).variables);
}

const setUpVariable = (name: string): string =>
  `Set ${name} in the environment of this server or in the secrets file, or leave it out of its env in the config file.`;

interface CustomModule {
  /** What stands after `custom:`. */
  name: string;
  /** Absolute path of a module whose default export is made by `defineProvider`. */
  path: string;
}

/**
 * Loads the module at the first call. A module that does not load is `not_configured`. A `ModelError` that it throws
 * passes through, and any other error fails the call for good.
 */
export function createCustom({ name, path }: CustomModule): Provider {
  const vendor = `The provider custom:${name}`;
  return {
    id: `custom:${name}`,
    async complete(request) {
      const provider = await loadProvider(vendor, path);
      // It need not stream, so silence is no reason to end the call.
      return runCall(request, { vendor, stallTimeoutMs: 0 }, async (call) => {
        let hasText = false;
        const onText = (text: string) => {
          hasText = true;
          call.text(text);
        };
        const answer = await askProvider(vendor, provider, { ...request, signal: call.signal, onText });
        if (!hasText) call.text(answer.text);
        return answer;
      });
    },
  };
}

async function loadProvider(vendor: string, path: string): Promise<CustomProvider> {
  if (!isAbsolute(path)) {
    throw new ModelError(
      'not_configured',
      `${vendor} needs an absolute path, and ${path} is none. Correct the config.`,
    );
  }
  const exported = await importDefault(vendor, path);
  if (!isProvider(exported)) {
    const message = `${path} does not export a provider. Write: export default defineProvider({ complete(request) { … } }).`;
    throw new ModelError('not_configured', message);
  }
  return exported;
}

async function importDefault(vendor: string, path: string): Promise<unknown> {
  try {
    return (await importFile(pathToFileURL(path).href)).default;
  } catch (cause) {
    const reason = redactedDetail(messageOf(cause));
    throw new ModelError('not_configured', `${vendor} cannot be loaded from ${path}: ${reason}`, { cause });
  }
}

function isProvider(exported: unknown): exported is CustomProvider {
  return (
    typeof exported === 'object' &&
    exported !== null &&
    'complete' in exported &&
    typeof exported.complete === 'function'
  );
}

async function askProvider(vendor: string, provider: CustomProvider, request: ModelRequest): Promise<ModelAnswer> {
  let answer: unknown;
  try {
    answer = await provider.complete(request);
  } catch (error) {
    throw toModelError(vendor, error);
  }
  if (!isAnswer(answer)) {
    const message = `${vendor} did not return an answer. Return { text: '…' }, with usage as { inputTokens, outputTokens }.`;
    throw new ModelError('invalid_request', message);
  }
  return {
    text: answer.text,
    model: answer.model ?? request.model,
    stopReason: answer.stopReason ?? 'end_turn',
    usage: answer.usage ?? { inputTokens: 0, outputTokens: 0 },
    warnings: answer.warnings ?? [],
  };
}

function toModelError(vendor: string, error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  const detail = redactedDetail(messageOf(error));
  const failure = failureOf(error);
  return failure
    ? new ModelError(failure, `${vendor} failed (${failure}).`, { detail, cause: error })
    : new ModelError('invalid_request', `${vendor} threw an error. Fix its module, or use another model.`, {
        detail,
        cause: error,
      });
}

/** Compares by name: the module may have its own copy of this package, and so another class. */
function failureOf(error: unknown): ModelFailure | undefined {
  if (!(error instanceof Error) || error.name !== 'ModelError' || !('failure' in error)) return undefined;
  return modelFailures.find((failure) => failure === error.failure);
}

function isAnswer(answer: unknown): answer is CustomAnswer {
  if (typeof answer !== 'object' || answer === null) return false;
  const { text, model, stopReason, usage, warnings } = answer as Record<keyof CustomAnswer, unknown>;
  return (
    typeof text === 'string' &&
    (model === undefined || typeof model === 'string') &&
    (stopReason === undefined || typeof stopReason === 'string') &&
    (usage === undefined || isUsage(usage)) &&
    (warnings === undefined || (Array.isArray(warnings) && warnings.every((warning) => typeof warning === 'string')))
  );
}

function isUsage(usage: unknown): boolean {
  if (typeof usage !== 'object' || usage === null) return false;
  const { inputTokens, outputTokens } = usage as Record<string, unknown>;
  return [inputTokens, outputTokens].every((tokens) => Number.isSafeInteger(tokens) && Number(tokens) >= 0);
}
