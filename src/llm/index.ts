import { RuntimeError } from '../base/errors.js';
import type { Provider } from '../core/ports.js';
import { createAnthropic } from './anthropic.js';
import { createClaudeCode } from './claude-code.js';
import { createCustom } from './custom.js';
import { createGoogle } from './google.js';
import { defaultModelOf, type ResolvedModel, resolveModel } from './models.js';
import { createOllama } from './ollama.js';
import type { ClaudeCodeSettings, LlmSettings } from './settings.js';

export { detectClaudeCode } from './claude-code.js';
export { type CustomAnswer, type CustomProvider, defineProvider } from './define-provider.js';
export type { ModelOverrides, ProviderId, ResolvedModel } from './models.js';
export type { ClaudeCodeSettings, KeyedSettings, LlmSettings, OllamaSettings } from './settings.js';

export interface ProviderStatus {
  id: string;
  /** Whether it can be tried as it is; a key that is set may still be refused. */
  isConfigured: boolean;
  /** A model string that leads to it, for `resolve`. */
  defaultModel?: string;
  /** What to do to have it. */
  mend?: string;
}

/** The models of one runtime: what a model string means, and who speaks to its vendor. */
export interface Models {
  /**
   * @param name a model string; without one the default is taken
   * @throws RuntimeError `invalid` for a name that no provider claims, `not_configured` when nothing is set up at all
   */
  resolve(name?: string): ResolvedModel;
  /**
   * The provider of a `ResolvedModel`; the same object each time.
   * @throws RuntimeError `not_configured`, naming the variable to set; `not_found` for an id that does not exist
   */
  provider(id: string): Provider;
  available(): ProviderStatus[];
  /** The model string used when a caller names none: the `model` setting, else the first provider that is set up. */
  defaultModel(): string | undefined;
}

export function createModels(settings: LlmSettings): Models {
  const built = new Map<string, Provider>();

  function defaultModel(): string | undefined {
    if (settings.model) return settings.model;
    // A module of the user's own serves a purpose of its own: it is used when it is named.
    const usable = available().find(({ id, isConfigured }) => isConfigured && !id.startsWith('custom:'));
    return usable?.defaultModel;
  }

  /** In the order of preference. */
  function available(): ProviderStatus[] {
    return [
      status(
        'anthropic',
        Boolean(settings.anthropic?.apiKey),
        defaultModelOf('anthropic', settings),
        keyHints.anthropic,
      ),
      status('google', Boolean(settings.google?.apiKey), defaultModelOf('google', settings), keyHints.google),
      ollamaStatus(settings),
      claudeCodeStatus(settings),
      ...customIds(settings).map((id) => ({ id, isConfigured: true, defaultModel: id })),
    ];
  }

  return {
    resolve(name = defaultModel()) {
      if (name === undefined) throw nothingConfigured();
      return resolveModel(name, settings);
    },
    provider(id) {
      const provider = built.get(id) ?? buildProvider(id, settings);
      built.set(id, provider);
      return provider;
    },
    available,
    defaultModel,
  };
}

const keyHints = {
  anthropic: 'Set ANTHROPIC_API_KEY.',
  google: 'Set GOOGLE_API_KEY (or GEMINI_API_KEY).',
};

function status(id: string, isConfigured: boolean, defaultModel: string, mend: string): ProviderStatus {
  return isConfigured ? { id, isConfigured, defaultModel } : { id, isConfigured, mend };
}

/** A server may run at the usual address, but only one that was named is used without being asked for. */
function ollamaStatus(settings: LlmSettings): ProviderStatus {
  const model = settings.ollama?.model || defaultModelOf('ollama', settings);
  return status(
    'ollama',
    Boolean(settings.ollama?.baseUrl || model),
    model ? `ollama:${model}` : 'ollama',
    'Set OLLAMA_BASE_URL, or name a local model as ollama:NAME.',
  );
}

function claudeCodeStatus(settings: LlmSettings): ProviderStatus {
  const isUsable = settings.claudeCode?.isFound === true && (settings.claudeCode.depth ?? 0) < 1;
  const model = `claude-code:${defaultModelOf('claude-code', settings)}`;
  return status('claude-code', isUsable, model, 'Install Claude Code and log in once with `claude`.');
}

function buildProvider(id: string, settings: LlmSettings): Provider {
  const { stallTimeoutMs } = settings;
  switch (id) {
    case 'anthropic':
      return createAnthropic({ ...settings.anthropic, apiKey: requireKey(settings, 'anthropic'), stallTimeoutMs });
    case 'google':
      return createGoogle({ ...settings.google, apiKey: requireKey(settings, 'google'), stallTimeoutMs });
    case 'ollama':
      return createOllama({ ...settings.ollama, stallTimeoutMs });
    case 'claude-code':
      return createClaudeCode(requireClaudeCode(settings));
  }
  if (customIds(settings).includes(id)) {
    const name = id.slice('custom:'.length);
    return createCustom({ name, path: settings.custom?.[name] ?? '' });
  }
  throw new RuntimeError(
    'not_found',
    `There is no provider ${id}.`,
    `Use ${['anthropic', 'google', 'ollama', 'claude-code', ...customIds(settings)].join(', ')}; the config names custom ones.`,
  );
}

const customIds = ({ custom = {} }: LlmSettings): string[] => Object.keys(custom).map((name) => `custom:${name}`);

function requireKey(settings: LlmSettings, vendor: 'anthropic' | 'google'): string {
  const key = settings[vendor]?.apiKey;
  if (key) return key;
  const [name, variable] = vendor === 'anthropic' ? ['Anthropic', 'ANTHROPIC_API_KEY'] : ['Google', 'GOOGLE_API_KEY'];
  throw new RuntimeError('not_configured', `${name} needs an API key, and ${variable} is not set.`, keyHints[vendor]);
}

function requireClaudeCode({ claudeCode }: LlmSettings): ClaudeCodeSettings {
  if (!claudeCode || claudeCode.isFound === false) {
    throw new RuntimeError(
      'not_configured',
      `Claude Code was not found as ${claudeCode?.command ?? 'claude'}.`,
      'Install it and log in once with `claude`, or set the full path of its command.',
    );
  }
  if ((claudeCode.depth ?? 0) >= 1) {
    throw new RuntimeError(
      'not_configured',
      `This runtime was itself started by an agent (AGENT_RUNTIME_DEPTH is ${claudeCode.depth}), so it starts none.`,
      'Use another model here.',
    );
  }
  return claudeCode;
}

function nothingConfigured(): RuntimeError {
  return new RuntimeError(
    'not_configured',
    'No model was named, and no provider is set up.',
    'Set ANTHROPIC_API_KEY, GOOGLE_API_KEY or OLLAMA_BASE_URL, install Claude Code, or name a model.',
  );
}
