import type { Config } from '../base/config.js';
import { resolvePath } from '../base/config-file.js';
import { RuntimeError } from '../base/errors.js';
import type { Provider } from '../core/ports.js';
import { createModelNames, type ResolvedModel } from './models.js';
import { type Price, priceOf } from './prices.js';
import { type NamedModels, type ProviderContext, type ProviderDeclaration, settingsOf } from './provider.js';
import { providers } from './providers.js';

export { detectClaudeCode, findClaudeCode } from './claude-code.js';
export type { ModelOverrides, ResolvedModel } from './models.js';

export interface ProviderStatus {
  id: string;
  /** Whether it can be tried as it is. A key that is set may still be refused. */
  isConfigured: boolean;
  /** Whether a call by name can be tried, configured or not. */
  isUsable: boolean;
  /** A model string that leads to it, for `resolve`; absent while it is not configured. */
  defaultModel?: string;
  /** What to do to have it; absent when it is configured. */
  fix?: string;
}

/** The models of one runtime: what a model string means, and who speaks to its vendor. */
export interface Models {
  /**
   * @param name a model string; the default model unless given
   * @throws RuntimeError `invalid` for a name that no provider claims, `not_configured` when nothing is set up at all
   */
  resolve(name?: string): ResolvedModel;
  /**
   * The provider of a `ResolvedModel`; the same object each time.
   * @throws RuntimeError `not_configured`, naming the variable to set; `not_found` for an id that does not exist
   */
  provider(id: string): Provider;
  /** What a model of a provider costs at a time (milliseconds); undefined where that is unknown. */
  price(provider: string, model: string, now: number): Price | undefined;
  available(): ProviderStatus[];
  /** The model string used when a caller names none: the `model` setting, else the first provider that is set up. */
  defaultModel(): string | undefined;
}

/** What of the configuration concerns models. */
export type ModelsConfig = Partial<
  Pick<Config, 'model' | 'providers' | 'models' | 'prices' | 'env' | 'depth' | 'home' | 'configPath'>
>;

/** The models of a user's settings. */
export function createModels(config: ModelsConfig, declarations: readonly ProviderDeclaration[] = providers): Models {
  const names = createModelNames(declarations, {
    ...config.models,
    defaults: defaultsIn(config, declarations),
    named: namedIn(config, declarations),
  });
  const context = contextOf(config);
  const entries = declarations.flatMap((declaration) => entriesOf(declaration, config, context));
  const built = new Map<string, Provider>();

  function defaultModel(): string | undefined {
    if (config.model) return config.model;
    const first = entries.find(({ isConfigured, declaration }) => isConfigured && !declaration.names);
    return first && names.defaultOf(first.declaration);
  }

  return {
    resolve(name = defaultModel()) {
      if (name === undefined) throw nothingConfigured(declarations);
      return names.resolve(name);
    },
    provider(id) {
      const provider = built.get(id) ?? build(id, entries, context);
      built.set(id, provider);
      return provider;
    },
    price(provider, model, now) {
      const vendor = declarations.find(({ id }) => id === provider)?.servesModelsOf;
      const declared = declarations.find(({ id }) => id === vendor)?.models?.aliases;
      const aliases = { ...declared, ...(vendor === undefined ? {} : config.models?.aliases?.[vendor]) };
      const id = Object.hasOwn(aliases, model) ? (aliases[model] ?? model) : model;
      return priceOf({ provider, owner: vendor, model: id }, config.prices ?? {}, now);
    },
    available: () =>
      entries.map(({ id, name, declaration, settings, isConfigured }) => ({
        id,
        isConfigured,
        isUsable: isConfigured || declaration.worksUnconfigured === true,
        ...(isConfigured
          ? { defaultModel: declaration.names ? id : names.defaultOf(declaration) }
          : { fix: declaration.setUpOf?.(settings, name) ?? declaration.setUp }),
      })),
    defaultModel,
  };
}

/** A provider, or one of several that a declaration stands for. */
interface Entry {
  id: string;
  name: string;
  declaration: ProviderDeclaration;
  settings: Readonly<Record<string, unknown>>;
  isConfigured: boolean;
}

function entriesOf(declaration: ProviderDeclaration, config: ModelsConfig, context: ProviderContext): Entry[] {
  const settings = settingsOf(declaration, config);
  const entryOf = (id: string, name: string): Entry => {
    return { id, name, declaration, settings, isConfigured: declaration.isConfigured(settings, context, name) };
  };
  const { id, kind, names } = declaration;
  if (!names) return [entryOf(id, id)];
  return names(settings).map((name) => entryOf(kind === undefined ? `${id}:${name}` : name, name));
}

/** The providers that the config file names, and their models. */
function namedIn(config: ModelsConfig, declarations: readonly ProviderDeclaration[]): Map<string, NamedModels> {
  return new Map(
    declarations.flatMap((declaration) => {
      if (declaration.kind === undefined) return [];
      const settings = settingsOf(declaration, config);
      const names = declaration.names?.(settings) ?? [];
      return names.map((name): [string, NamedModels] => [name, declaration.modelsOf?.(settings, name) ?? {}]);
    }),
  );
}

function contextOf({ env = {}, depth = 0, home = '', configPath = '' }: ModelsConfig): ProviderContext {
  return { env, depth, resolvePath: (path) => resolvePath(path, { home, configPath }) };
}

/** The `model` of each provider's settings. */
function defaultsIn(config: ModelsConfig, declarations: readonly ProviderDeclaration[]): Record<string, string> {
  return Object.fromEntries(
    declarations.flatMap((declaration) => {
      const { model } = settingsOf(declaration, config);
      return typeof model === 'string' ? [[declaration.id, model]] : [];
    }),
  );
}

function build(id: string, entries: readonly Entry[], context: ProviderContext): Provider {
  const entry = entries.find((one) => one.id === id);
  if (entry) return entry.declaration.create(entry.settings, context, entry.name);
  throw new RuntimeError(
    'not_found',
    `There is no provider ${id}.`,
    `Use ${entries.map((one) => one.id).join(', ')}; the config file names custom ones.`,
  );
}

function nothingConfigured(declarations: readonly ProviderDeclaration[]): RuntimeError {
  const ways = declarations.flatMap(({ label, setUp, names }) => (names ? [] : [`${label}: ${setUp}`]));
  return new RuntimeError(
    'not_configured',
    'No model was named, and no provider is set up.',
    `Set up one of these, or name a model. ${ways.join(' ')}`,
  );
}
