import { RuntimeError } from '../base/errors.js';
import shipped from './models.json' with { type: 'json' };

export type ProviderId = 'anthropic' | 'google' | 'ollama' | 'claude-code' | `custom:${string}`;

export interface ResolvedModel {
  provider: ProviderId;
  /** The provider's own id; empty for Ollama's first local model. */
  model: string;
  /** What the caller wrote. */
  requested: string;
  /** Why `model` is not what was asked for, or will not be for long. */
  warnings: string[];
}

/**
 * Changes to `models.json`; an entry replaces the shipped one of the same name, and is looked at before the others.
 * A retired id that still answers for you is taken back by mapping it to itself.
 */
export interface ModelOverrides {
  /** The model of a provider when none is named: AGENT_RUNTIME_ANTHROPIC_MODEL, AGENT_RUNTIME_GOOGLE_MODEL. */
  defaults?: Partial<Record<'anthropic' | 'google' | 'ollama' | 'claude-code', string>> | undefined;
  /** Short names by vendor, such as `{ anthropic: { fast: 'claude-haiku-5-5' } }`. */
  aliases?: { [vendor in Vendor]?: Record<string, string> | undefined } | undefined;
  /** Ids that a vendor no longer serves (`*` stands for any text), with the id or alias that takes their place. */
  retired?: { [vendor in Vendor]?: Record<string, string> | undefined } | undefined;
}

/**
 * Which provider and which of its models a model string means. Ids of a known family that are not in the table pass
 * through: the vendor decides. A retired id becomes its family's current one, with a warning.
 *
 * @throws RuntimeError `invalid` for a string that no provider claims; it lists the accepted forms.
 */
export function resolveModel(name: string, settings: { overrides?: ModelOverrides | undefined } = {}): ResolvedModel {
  const requested = name.trim();
  if (!wellFormed.test(requested)) throw unknownModel(name);
  const table = mergeTable(settings.overrides ?? {});
  const [prefix, rest] = splitOnce(requested);
  switch (prefix.toLowerCase()) {
    case 'anthropic':
    case 'google': {
      const vendor = prefix.toLowerCase() as Vendor;
      return { requested, provider: vendor, ...currentId(table, vendor, rest || table.defaults[vendor]) };
    }
    case 'ollama':
      return { requested, provider: 'ollama', model: rest || table.defaults.ollama, warnings: [] };
    case 'claude-code':
      return { requested, provider: 'claude-code', ...cliModel(table, rest || table.defaults['claude-code']) };
    case 'custom': {
      const [module, model] = splitOnce(rest);
      if (!module) throw unknownModel(name);
      return { requested, provider: `custom:${module}`, model: model || module, warnings: [] };
    }
  }
  const vendor = vendorOf(table, requested.toLowerCase());
  if (!vendor) throw unknownModel(name);
  return { requested, provider: vendor, ...currentId(table, vendor, requested) };
}

/** The model of a provider when none is named; empty where the provider itself chooses. */
export function defaultModelOf(
  provider: 'anthropic' | 'google' | 'ollama' | 'claude-code',
  settings: { overrides?: ModelOverrides | undefined } = {},
): string {
  return mergeTable(settings.overrides ?? {}).defaults[provider];
}

type Vendor = 'anthropic' | 'google';

interface ModelTable {
  defaults: Record<'anthropic' | 'google' | 'ollama' | 'claude-code', string>;
  aliases: Record<Vendor, Record<string, string>>;
  retired: Record<Vendor, Record<string, string>>;
  ending: Record<Vendor, Record<string, string>>;
}

/**
 * Ids end up in URLs and in an argument list, so nothing that could mean more than a name there gets through: each part
 * between `:` and `/` starts with a letter or digit, which rules out flags and `..`.
 */
const wellFormed = /^(?=.{1,200}$)[A-Za-z0-9][\w.@+[\]-]*(?:[:/][A-Za-z0-9][\w.@+[\]-]*)*$/;

function unknownModel(name: string): RuntimeError {
  return new RuntimeError(
    'invalid',
    `No provider knows the model ${JSON.stringify(name.slice(0, 200))}.`,
    'Use a Claude id or alias (claude-sonnet-5-5, sonnet, opus, haiku), a Gemini id (gemini-3.8-flash), ' +
      'ollama:NAME for a local model, claude-code or claude-code:sonnet for your own CLI, custom:NAME for a module ' +
      'of yours, or anthropic:ID and google:ID to choose the vendor yourself.',
  );
}

function mergeTable(overrides: ModelOverrides): ModelTable {
  const merge = (kind: 'aliases' | 'retired', vendor: Vendor) => {
    const own = overrides[kind]?.[vendor] ?? {};
    return { ...own, ...shipped[kind][vendor], ...own };
  };
  return {
    defaults: { ...shipped.defaults, ...overrides.defaults },
    aliases: { anthropic: merge('aliases', 'anthropic'), google: merge('aliases', 'google') },
    retired: { anthropic: merge('retired', 'anthropic'), google: merge('retired', 'google') },
    ending: shipped.ending,
  };
}

/** `a:b:c` as `a` and `b:c`: names of local models hold colons themselves. */
function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function vendorOf(table: ModelTable, name: string): Vendor | undefined {
  if (Object.hasOwn(table.aliases.anthropic, name)) return 'anthropic';
  if (Object.hasOwn(table.aliases.google, name)) return 'google';
  if (name.startsWith('claude')) return 'anthropic';
  if (name.startsWith('gemini') || name.startsWith('models/gemini')) return 'google';
  return undefined;
}

function currentId(table: ModelTable, vendor: Vendor, name: string): { model: string; warnings: string[] } {
  const id = unalias(table, vendor, vendor === 'google' ? name.replace(/^models\//, '') : name);
  const replacement = lookUp(table.retired[vendor], id);
  const model = replacement === undefined ? id : unalias(table, vendor, replacement);
  if (model !== id) return { model, warnings: [`${id} is retired: ${model} is used in its place.`] };
  const endsOn = lookUp(table.ending[vendor], id);
  if (endsOn === undefined) return { model, warnings: [] };
  return { model, warnings: [`${id} is served until ${endsOn}; ${table.defaults[vendor]} takes its place.`] };
}

/** The CLI knows its own aliases, so only retired ids are replaced. */
function cliModel(table: ModelTable, name: string): { model: string; warnings: string[] } {
  return Object.hasOwn(table.aliases.anthropic, name)
    ? { model: name, warnings: [] }
    : currentId(table, 'anthropic', name);
}

function unalias(table: ModelTable, vendor: Vendor, name: string): string {
  const alias = name.toLowerCase();
  return Object.hasOwn(table.aliases[vendor], alias) ? (table.aliases[vendor][alias] ?? name) : name;
}

function lookUp(patterns: Record<string, string>, id: string): string | undefined {
  return Object.entries(patterns).find(([pattern]) => matches(pattern, id))?.[1];
}

function matches(pattern: string, id: string): boolean {
  const source = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`).test(id);
}
