import type { z } from 'zod';
import { RuntimeError } from '../base/errors.js';
import type { Environment, ProviderSection, Setting } from '../base/settings.js';
import type { Provider } from '../core/ports.js';

/**
 * A model provider: all that the program knows of it. The config file's schema, the variables and their redaction, the
 * runner's environment, `doctor`, the errors that say what to set, and the README's table are derived from it.
 * `README.md` in this folder says how to add one.
 */
export interface ProviderDeclaration<Settings extends object = Readonly<Record<string, unknown>>>
  extends ProviderSection {
  /** What stands before the colon in a model string, such as `ollama` in `ollama:llama3.2`. */
  readonly id: string;
  /** Its name in messages. */
  readonly label: string;
  /** Its section of the config file. A key that the file must not hold, such as an API key, is left out here. */
  readonly settings: z.ZodType<Settings>;
  readonly environment: { readonly [Key in keyof Settings]?: Setting };
  /** The model when a model string names the provider alone and `settings.model` is not set; '' if it chooses itself. */
  readonly defaultModel: string;
  /** What to write as a model string, after "Use": `a Gemini id (gemini-3.8-flash)`. */
  readonly modelStrings: string;
  /** Which ids are its own without the provider's name before them, and what its names mean. */
  readonly models?: ModelTable;
  /** The provider whose models these are: it takes that one's aliases as they are, and its retired ids are replaced. */
  readonly servesModelsOf?: string;
  /** What to do to have it: one sentence, shown while it is not configured. */
  readonly setUp: string;
  /** It can be called by name without any settings; `isConfigured` then only says whether it may be the default. */
  readonly worksUnconfigured?: boolean;
  /**
   * For a provider that stands for several, `ID:NAME` each, or `NAME` with a `kind`: their names. None of them is ever
   * the default.
   */
  names?(settings: Settings): string[];
  /** What to do to have one of `names`, where that is more than `setUp` says. */
  setUpOf?(settings: Settings, name: string): string;
  /** The model of one of `names` when none is named, and its short names. */
  modelsOf?(settings: Settings, name: string): NamedModels;
  /**
   * Whether a call can be tried. A key that is set may still be refused. Called once for each of `names`, so it may look
   * at the disk.
   */
  isConfigured(settings: Settings, context: ProviderContext, name: string): boolean;
  /**
   * Connects to it. Loads its SDK when first called, not here.
   *
   * @param name which of `names`, if there are several
   * @throws RuntimeError `not_configured`, naming what to set
   */
  create(settings: Settings, context: ProviderContext, name: string): Provider;
  /** Names of more variables that it needs in the processes of background jobs. */
  passedOn?(settings: Settings): readonly string[];
  secretVariables?(settings: Settings): readonly string[];
  secrets?(settings: Settings): readonly string[];
}

export interface NamedModels {
  model?: string | undefined;
  aliases?: Readonly<Record<string, string>> | undefined;
}

/** What a provider may know of the process that it runs in. */
export interface ProviderContext {
  /** The environment with the secrets file laid under it. */
  env: Environment;
  /** How many agents stand above this process (AGENT_RUNTIME_DEPTH). */
  depth: number;
  /** Makes a path of the config file absolute. */
  resolvePath(path: string): string;
  /**
   * How long a vendor may stay silent, before its headers or in the middle of its stream, until the call fails with
   * `timeout`. Milliseconds, 300,000 by default. More has no effect, because Node's own fetch gives up then.
   */
  stallTimeoutMs?: number | undefined;
}

/** The known models of a vendor. Ids of its family that are not in the table pass through: the vendor decides. */
export interface ModelTable {
  /** Lower-case names that are this vendor's. */
  family: RegExp;
  /** Removed from an id before it is looked up. */
  prefix?: RegExp;
  /** Short names. */
  aliases: Readonly<Record<string, string>>;
  /** Ids that are no longer served (`*` stands for any text), with the id or alias that takes their place. */
  retired: Readonly<Record<string, string>>;
  /** Ids (`*` stands for any text) that are served until a date, such as `2026-11-30`. */
  ending: Readonly<Record<string, string>>;
}

/** The settings of one provider, as its own schema has checked them. */
export function settingsOf<Settings extends object>(
  { id }: ProviderDeclaration<Settings>,
  { providers = {} }: { providers?: Readonly<Record<string, unknown>> | undefined },
): Settings {
  return (providers[id] ?? {}) as Settings;
}

/** The API key of a provider. Throws `not_configured` where there is none. */
export function requireKey(apiKey: string | undefined, label: string, variable: string, setUp: string): string {
  if (apiKey) return apiKey;
  throw new RuntimeError('not_configured', `${label} needs an API key, and ${variable} is not set.`, setUp);
}
