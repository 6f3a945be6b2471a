import { RuntimeError } from '../base/errors.js';
import { matchesPattern } from '../base/text.js';
import type { ModelTable, NamedModels, ProviderDeclaration } from './provider.js';

export interface ResolvedModel {
  /** The provider's id: `anthropic`, `custom:NAME`. */
  provider: string;
  /** The provider's own id of the model; empty for Ollama's first local model. */
  model: string;
  /** What the caller wrote. */
  requested: string;
  /** Why `model` is not what was asked for, or will not be for long. */
  warnings: string[];
}

/**
 * Changes to the providers' declarations, by provider. An entry replaces the declared one of the same name, and is looked
 * at before the others. A retired id that still answers for you is kept by mapping it to itself.
 */
export interface ModelOverrides {
  /** The model of a provider when none is named. */
  defaults?: Readonly<Record<string, string | undefined>> | undefined;
  /** Short names, such as `{ anthropic: { fast: 'claude-haiku-5-5' } }`. */
  aliases?: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> | undefined;
  /** Ids that are no longer served (`*` stands for any text), with the id or alias that takes their place. */
  retired?: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> | undefined;
  /** The providers that the config file adds, by name: model strings `NAME` and `NAME:MODEL`. */
  named?: ReadonlyMap<string, NamedModels> | undefined;
}

/** What model strings mean. */
export interface ModelNames {
  /**
   * Which provider and which of its models a model string means. Ids of a known family that are not in its table pass
   * through: the vendor decides. A retired id becomes its family's current one, with a warning.
   *
   * @throws RuntimeError `invalid` for a string that no provider claims; it lists the accepted forms
   */
  resolve(name: string): ResolvedModel;
  /** A provider's default model as a model string that leads back to it. */
  defaultOf(provider: ProviderDeclaration): string;
}

export function createModelNames(
  providers: readonly ProviderDeclaration[],
  overrides: ModelOverrides = {},
): ModelNames {
  const defaultModel = ({ id, defaultModel: declared }: ProviderDeclaration) => overrides.defaults?.[id] || declared;
  const tables = new Map(providers.map((provider) => [provider, mergeTable(provider, overrides)]));

  function ownerOf(name: string): ProviderDeclaration | undefined {
    const lower = name.toLowerCase();
    return (
      providers.find((provider) => Object.hasOwn(tables.get(provider)?.aliases ?? {}, lower)) ??
      providers.find(({ models }) => models?.family.test(lower))
    );
  }

  function current(provider: ProviderDeclaration, name: string): { model: string; warnings: string[] } {
    const vendor = providers.find(({ id }) => id === provider.servesModelsOf) ?? provider;
    const table = tables.get(vendor);
    const isKnownAlias = vendor !== provider && Object.hasOwn(table?.aliases ?? {}, name);
    if (!table || isKnownAlias) return { model: name, warnings: [] };
    return currentId(table, name, defaultModel(vendor));
  }

  return {
    resolve(name) {
      const requested = name.trim();
      if (!wellFormed.test(requested)) throw unknownModel(name, providers);
      const [prefix, rest] = splitOnce(requested);
      const added = overrides.named?.get(prefix.toLowerCase());
      if (added) return { requested, provider: prefix.toLowerCase(), model: modelOf(added, rest), warnings: [] };
      const named = providers.find(({ id, kind }) => id === prefix.toLowerCase() && kind === undefined);
      if (named?.names) {
        const [one, model] = splitOnce(rest);
        if (!one) throw unknownModel(name, providers);
        return { requested, provider: `${named.id}:${one}`, model: model || one, warnings: [] };
      }
      if (named) return { requested, provider: named.id, ...current(named, rest || defaultModel(named)) };
      const owner = ownerOf(requested);
      if (!owner) throw unknownModel(name, providers);
      return { requested, provider: owner.id, ...current(owner, requested) };
    },

    defaultOf(provider) {
      const model = defaultModel(provider);
      return ownerOf(model) === provider ? model : [provider.id, model].filter(Boolean).join(':');
    },
  };
}

/**
 * Ids end up in URLs and in an argument list, so nothing that could mean more than a name there gets through: each part
 * between `:` and `/` starts with a letter or digit, which rules out flags and `..`.
 */
const wellFormed = /^(?=.{1,200}$)[A-Za-z0-9][\w.@+[\]-]*(?:[:/][A-Za-z0-9][\w.@+[\]-]*)*$/;

function unknownModel(name: string, providers: readonly ProviderDeclaration[]): RuntimeError {
  const forms = providers.map(({ modelStrings }) => modelStrings).join(', ');
  const ids = providers.flatMap(({ id, models }) => (models ? [`${id}:ID`] : [])).join(' and ');
  return new RuntimeError(
    'invalid',
    `No provider knows the model ${JSON.stringify(name.slice(0, 200))}.`,
    `Use ${forms}, or ${ids} to choose the vendor yourself.`,
  );
}

function mergeTable({ id, models }: ProviderDeclaration, overrides: ModelOverrides): ModelTable | undefined {
  if (!models) return undefined;
  const merge = (kind: 'aliases' | 'retired') => {
    const own = overrides[kind]?.[id] ?? {};
    // First and last: an own pattern is tried before the declared ones, and replaces the declared one of its name.
    return { ...own, ...models[kind], ...own };
  };
  return { ...models, aliases: merge('aliases'), retired: merge('retired') };
}

function modelOf({ model = '', aliases = {} }: NamedModels, name: string): string {
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name || model;
}

/** `a:b:c` as `a` and `b:c`: names of local models hold colons themselves. */
function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function currentId(table: ModelTable, name: string, defaultModel: string): { model: string; warnings: string[] } {
  const id = unalias(table, table.prefix ? name.replace(table.prefix, '') : name);
  const replacement = lookUp(table.retired, id);
  const model = replacement === undefined ? id : unalias(table, replacement);
  if (model !== id) return { model, warnings: [`${id} is retired: ${model} is used in its place.`] };
  const endsOn = lookUp(table.ending, id);
  if (endsOn === undefined) return { model, warnings: [] };
  return { model, warnings: [`${id} is served until ${endsOn}; ${defaultModel} takes its place.`] };
}

function unalias({ aliases }: ModelTable, name: string): string {
  const alias = name.toLowerCase();
  return Object.hasOwn(aliases, alias) ? (aliases[alias] ?? name) : name;
}

function lookUp(patterns: Readonly<Record<string, string>>, id: string): string | undefined {
  return Object.entries(patterns).find(([pattern]) => matchesPattern(pattern, id))?.[1];
}
