import type { z } from 'zod';

import { RuntimeError } from './errors.js';
import { similarNames } from './text.js';

/** The flags that every command takes. They win over the environment, which wins over the config file. */
export interface Flags {
  db?: string | undefined;
  config?: string | undefined;
  dataDir?: string | undefined;
  logLevel?: string | undefined;
  toolsets?: string | undefined;
  readOnly?: boolean | undefined;
  /** More modules with agents, for programs that embed this one. */
  agents?: readonly string[] | undefined;
}

/**
 * An environment variable. How it is read, its default, the README's tables, the runner's environment, the redaction of
 * secrets and the settings that `doctor` can do without all come from this one declaration.
 */
export interface Setting {
  name: string;
  /** Other names that mean the same. */
  aliases?: readonly string[];
  /** The flag that wins over it. */
  flag?: Exclude<keyof Flags, 'agents'>;
  default?: string;
  /** It is a whole number from 1 to this. */
  atMost?: number;
  /** A value can be invalid, as a number can. Commands that help to correct it then go on without it. */
  isChecked?: boolean;
  isSecret?: boolean;
  /** Background jobs do not need it, so their processes do not get it. */
  isForServerOnly?: boolean;
  meaning: string;
}

/** Of the search tools. */
export const searchSettings = [
  {
    name: 'AGENT_RUNTIME_SEARCH_BACKEND',
    isChecked: true,
    isForServerOnly: true,
    meaning:
      'The service that web_search asks first: searxng, brave or tavily; by default the first of these that is set up.',
  },
  {
    name: 'SEARXNG_URL',
    isChecked: true,
    isForServerOnly: true,
    meaning: 'Your SearXNG server, such as http://127.0.0.1:8080; its search.formats must have json.',
  },
  {
    name: 'BRAVE_API_KEY',
    isChecked: true,
    isSecret: true,
    isForServerOnly: true,
    meaning: 'Key for the Brave Search API.',
  },
  {
    name: 'BRAVE_BASE_URL',
    isChecked: true,
    default: 'https://api.search.brave.com',
    isForServerOnly: true,
    meaning: 'Another address for the Brave Search API.',
  },
  {
    name: 'TAVILY_API_KEY',
    isChecked: true,
    isSecret: true,
    isForServerOnly: true,
    meaning: 'Key for the Tavily search API.',
  },
  {
    name: 'TAVILY_BASE_URL',
    isChecked: true,
    default: 'https://api.tavily.com',
    isForServerOnly: true,
    meaning: 'Another address for the Tavily search API.',
  },
  {
    name: 'ARXIV_BASE_URL',
    isChecked: true,
    default: 'https://export.arxiv.org',
    isForServerOnly: true,
    meaning: 'Another address for the arXiv API.',
  },
  {
    name: 'AGENT_RUNTIME_CONTACT',
    isChecked: true,
    isForServerOnly: true,
    meaning: 'An e-mail address that searches carry, so that a service can write to you before it blocks you.',
  },
] as const satisfies readonly Setting[];

const runtimeSettings = [
  { name: 'AGENT_RUNTIME_DB_PATH', flag: 'db', default: '~/.claude/agent_runtime.db', meaning: 'The database file.' },
  { name: 'AGENT_RUNTIME_DB_URL', meaning: 'PostgreSQL instead: postgres://user@host/db; none for the file.' },
  { name: 'AGENT_RUNTIME_HOST_ID', meaning: 'Tells hosts that look alike apart.' },
  {
    name: 'AGENT_RUNTIME_CONFIG',
    flag: 'config',
    default: '~/.claude/agent_runtime.json',
    meaning: 'The config file; it need not exist.',
  },
  {
    name: 'AGENT_RUNTIME_DATA_DIR',
    flag: 'dataDir',
    default: '~/.claude/agent_runtime',
    meaning: 'Backups, logs, logins; artifacts, data sets and price files of jobs.',
  },
  {
    name: 'AGENT_RUNTIME_LOG_LEVEL',
    flag: 'logLevel',
    isChecked: true,
    default: 'info',
    meaning: 'debug, info, warn, error or silent: what goes to stderr and the log of the day.',
  },
  {
    name: 'AGENT_RUNTIME_TOOLSETS',
    flag: 'toolsets',
    default: 'auto',
    meaning:
      'all, core, or toolsets with commas between. auto: core for clients that send every schema, all for others.',
  },
  {
    name: 'AGENT_RUNTIME_READ_ONLY',
    flag: 'readOnly',
    default: '0',
    meaning: '1 offers only tools that change nothing.',
  },
  {
    name: 'AGENT_RUNTIME_GUARD',
    isChecked: true,
    default: 'refuse',
    isForServerOnly: true,
    meaning: 'Edits of what another session has reserved: refuse, warn or off.',
  },
  {
    name: 'AGENT_RUNTIME_WORKER_SLOTS',
    atMost: 1_000,
    default: '5',
    meaning: 'How many worker slots all sessions share.',
  },
  {
    name: 'AGENT_RUNTIME_MAX_RUNNING_JOBS',
    atMost: 64,
    default: '4',
    meaning: 'How many background processes work at once.',
  },
  {
    name: 'AGENT_RUNTIME_MAX_MODEL_CALLS',
    atMost: 256,
    isChecked: true,
    meaning: 'How many model calls run at once: 16, or what is set above.',
  },
  {
    name: 'AGENT_RUNTIME_RETENTION_DAYS',
    atMost: 36_500,
    isChecked: true,
    isForServerOnly: true,
    meaning: 'What ended so many days ago is deleted, once a day; nothing unless set.',
  },
  {
    name: 'AGENT_RUNTIME_MODEL',
    meaning: 'The model of background tasks that name none; else that of the first provider.',
  },
  {
    name: 'AGENT_RUNTIME_AGENTS',
    meaning: 'More modules with agents: absolute paths, joined like those of PATH.',
  },
  {
    name: 'AGENT_RUNTIME_PRICES_URL',
    meaning: 'Template of a URL of daily prices as CSV, for backtests without a price file.',
  },
  {
    name: 'AGENT_RUNTIME_URL',
    isChecked: true,
    aliases: ['TASK_COORDINATOR_URL'],
    isForServerOnly: true,
    meaning: 'Address of a runtime that serves HTTP elsewhere and gets every call.',
  },
  {
    name: 'AGENT_RUNTIME_TOKEN',
    isSecret: true,
    isForServerOnly: true,
    meaning: 'Token for the runtime at AGENT_RUNTIME_URL; on the same machine its own file is read.',
  },
  {
    name: 'AGENT_RUNTIME_ISSUER',
    isChecked: true,
    isForServerOnly: true,
    meaning: 'An OAuth issuer [whose tokens let in](docs/company-login.md) over HTTP.',
  },
  {
    name: 'AGENT_RUNTIME_AUDIENCE',
    isForServerOnly: true,
    meaning: 'What the `aud` of its tokens has.',
  },
  {
    name: 'PORT',
    atMost: 65_535,
    default: '3333',
    isForServerOnly: true,
    meaning: 'Port of `dashboard` and, with another default, of `serve --http`.',
  },
] as const satisfies readonly Setting[];

/** All variables but those of the model providers. */
export const settings = [...runtimeSettings, ...searchSettings] as const;

export type SettingName = (typeof settings)[number]['name'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings that have a default. */
export type DefaultedName = Extract<(typeof settings)[number], { default: string }>['name'];

/** Reads a variable by its name or aliases. Empty counts as unset: that is what `${NAME:-}` in a client's config gives. */
export function readSetting(env: Environment, setting: SettingName | Setting): string | undefined {
  const { name, aliases = [] } = typeof setting === 'string' ? settingNamed(setting) : setting;
  for (const variable of [name, ...aliases]) if (env[variable]) return env[variable];
  return undefined;
}

/** The address that is none: the database is the file, also where the secrets file has an address. */
export const noDatabaseUrl = 'none';

/** The address of a PostgreSQL database; undefined where the database is a file. */
export function readDatabaseUrl(env: Environment): string | undefined {
  const url = readSetting(env, 'AGENT_RUNTIME_DB_URL');
  return url === noDatabaseUrl ? undefined : url;
}

/** A setting by its flag, else its variable, else its default. */
export function settingOrDefault(env: Environment, name: DefaultedName, flags: Flags = {}): string {
  const { flag, default: usual = '' } = settingNamed(name);
  const given = flag && flags[flag];
  return given === undefined ? (readSetting(env, name) ?? usual) : String(given);
}

/** A variable that holds a whole number. Throws `invalid` for anything else. */
export function readWholeNumber(env: Environment, name: SettingName): number | undefined {
  const text = readSetting(env, name);
  if (text === undefined) return undefined;
  const most = settingNamed(name).atMost ?? Number.MAX_SAFE_INTEGER;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RuntimeError(
    'invalid',
    `${name} is ${JSON.stringify(text)}.`,
    `Set it to a whole number from 1 to ${most}.`,
  );
}

/** One of some words, in any case. Throws `invalid`, naming the variable and the words. */
export function oneOf<Word extends string>(words: readonly Word[], name: SettingName, text: string): Word {
  const found = words.find((word) => word === text.toLowerCase());
  if (found) return found;
  throw new RuntimeError('invalid', `${name} is ${JSON.stringify(text)}.`, `Set it to one of ${words.join(', ')}.`);
}

export function settingNamed(name: SettingName): Setting {
  return settings.find((setting) => setting.name === name) ?? { name, meaning: '' };
}

/** What the configuration knows of a model provider; `llm/providers.ts` lists them all. */
export interface ProviderSection {
  /** The provider's name in the config file, in model strings and in its breaker's id. */
  readonly id: string;
  /** Its section of the config file, `providers.ID`: strict, so that a misspelt key is an error. */
  readonly settings: z.ZodType;
  /** Variables by the key of the settings that each sets. A variable wins over the config file. */
  readonly environment: Readonly<Record<string, Setting | undefined>>;
  /**
   * Its section is every one of the config file that has another name than a provider's and this `kind`; its settings
   * are all of them by name.
   */
  readonly kind?: string | undefined;
  /** Present when the config file may add aliases and retired ids: `models.aliases.ID`, `models.retired.ID`. */
  readonly models?: object | undefined;
  /** Names of more variables whose values must never be shown, by its settings. */
  secretVariables?(settings: object): readonly string[];
  /** Values of its settings that must never be shown. */
  secrets?(settings: object): readonly string[];
}

const prefix = 'AGENT_RUNTIME_';

/** Names that processes of this program give to one another; the first one a client may set for its shell. */
const internalNames = [
  'AGENT_RUNTIME_SESSION',
  'AGENT_RUNTIME_DEPTH',
  'AGENT_RUNTIME_WORKER',
  'AGENT_RUNTIME_RUNNER',
  'AGENT_RUNTIME_TOOL_SERVER',
];

/** A warning for each variable that has this program's prefix and that nothing reads: most likely it is misspelt. */
export function warnOfUnknown(env: Environment, providers: readonly ProviderSection[]): string[] {
  const ofProviders = providers.flatMap(({ environment }) => Object.values(environment));
  const declared: (Setting | undefined)[] = [...settings, ...ofProviders];
  const names = declared.flatMap((setting) => (setting ? [setting.name, ...(setting.aliases ?? [])] : []));
  const known = names.filter((name) => name.startsWith(prefix));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && env[name] && ![...known, ...internalNames].includes(name))
    .sort()
    .map((name) => {
      const [near] = similarNames(
        name.slice(prefix.length),
        known.map((one) => one.slice(prefix.length)),
      );
      const meant = near === undefined ? '' : ` Did you mean ${prefix}${near}?`;
      return `The variable ${name} has no effect: there is no such setting.${meant}`;
    });
}
