import type { z } from 'zod';

/** An environment variable. The README's tables, the runner's environment and the redaction of secrets come from these. */
export interface Setting {
  name: string;
  /** Other names that mean the same. */
  aliases?: readonly string[];
  default?: string;
  isSecret?: boolean;
  /** Background jobs have no use for it, so their processes do not get it. */
  isForServerOnly?: boolean;
  meaning: string;
}

export const settings = [
  { name: 'AGENT_RUNTIME_DB_PATH', default: '~/.claude/agent_runtime.db', meaning: 'The database file.' },
  {
    name: 'AGENT_RUNTIME_CONFIG',
    default: '~/.claude/agent_runtime.json',
    meaning: 'The config file; it need not exist.',
  },
  {
    name: 'AGENT_RUNTIME_DATA_DIR',
    default: '~/.claude/agent_runtime',
    meaning: 'Backups, logs, artifacts of jobs, and the data sets and price files that jobs read.',
  },
  {
    name: 'AGENT_RUNTIME_LOG_LEVEL',
    default: 'info',
    meaning: 'debug, info, warn, error or silent: what goes to stderr and to the log file of the day.',
  },
  {
    name: 'AGENT_RUNTIME_TOOLSETS',
    default: 'all',
    meaning: 'Which tools to offer: all, core, or names of toolsets with commas between.',
  },
  { name: 'AGENT_RUNTIME_READ_ONLY', default: '0', meaning: '1 offers only tools that change nothing.' },
  { name: 'AGENT_RUNTIME_WORKER_SLOTS', default: '5', meaning: 'How many worker slots all sessions share.' },
  {
    name: 'AGENT_RUNTIME_MAX_RUNNING_JOBS',
    default: '4',
    meaning: 'How many background jobs run at once, over all sessions.',
  },
  {
    name: 'AGENT_RUNTIME_MODEL',
    meaning: 'The model of background tasks that name none; otherwise that of the first configured provider.',
  },
  {
    name: 'AGENT_RUNTIME_AGENTS',
    meaning: 'More modules with agents than the config file names: absolute paths, joined as those of PATH are.',
  },
  {
    name: 'AGENT_RUNTIME_PRICES_URL',
    meaning: 'Template of a URL that gives daily prices as CSV, for backtests whose price file is missing.',
  },
  {
    name: 'AGENT_RUNTIME_URL',
    aliases: ['TASK_COORDINATOR_URL'],
    isForServerOnly: true,
    meaning: 'Address of a runtime that serves HTTP elsewhere: this one then hands every call to it.',
  },
  {
    name: 'AGENT_RUNTIME_TOKEN',
    isSecret: true,
    isForServerOnly: true,
    meaning: 'Token for the runtime at AGENT_RUNTIME_URL; on the same machine its own file is read.',
  },
  {
    name: 'PORT',
    default: '3333',
    isForServerOnly: true,
    meaning: 'Port of `dashboard` and, with another default, of `serve --http`.',
  },
  {
    name: 'AGENT_RUNTIME_SEARCH_BACKEND',
    isForServerOnly: true,
    meaning: 'Who answers web_search: searxng, brave or tavily; otherwise the first of these that is set up.',
  },
  {
    name: 'SEARXNG_URL',
    isForServerOnly: true,
    meaning: 'Your SearXNG server, such as http://127.0.0.1:8080; its search.formats must have json.',
  },
  { name: 'BRAVE_API_KEY', isSecret: true, isForServerOnly: true, meaning: 'Key for the Brave Search API.' },
  {
    name: 'BRAVE_BASE_URL',
    default: 'https://api.search.brave.com',
    isForServerOnly: true,
    meaning: 'Another address for the Brave Search API.',
  },
  { name: 'TAVILY_API_KEY', isSecret: true, isForServerOnly: true, meaning: 'Key for the Tavily search API.' },
  {
    name: 'TAVILY_BASE_URL',
    default: 'https://api.tavily.com',
    isForServerOnly: true,
    meaning: 'Another address for the Tavily search API.',
  },
  {
    name: 'ARXIV_BASE_URL',
    default: 'https://export.arxiv.org',
    isForServerOnly: true,
    meaning: 'Another address for the arXiv API.',
  },
  {
    name: 'AGENT_RUNTIME_CONTACT',
    isForServerOnly: true,
    meaning: 'An e-mail address that searches carry, so that a service can write to you before it blocks you.',
  },
] as const satisfies readonly Setting[];

export type SettingName = (typeof settings)[number]['name'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a variable by its name or aliases. Empty counts as unset: that is what `${NAME:-}` in a client's config gives. */
export function readSetting(env: Environment, setting: SettingName | Setting): string | undefined {
  const { name, aliases = [] } = typeof setting === 'string' ? settingNamed(setting) : setting;
  for (const variable of [name, ...aliases]) if (env[variable]) return env[variable];
  return undefined;
}

function settingNamed(name: SettingName): Setting {
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
  /** Present when the config file may add aliases and retired ids: `models.aliases.ID`, `models.retired.ID`. */
  readonly models?: object | undefined;
}
