import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type ConfigFile, type ReadConfigFile, readConfigFile, readSecretsFile, resolvePath } from './config-file.js';
import { environmentWithout } from './environment.js';
import { RuntimeError } from './errors.js';
import { type GuardMode, guardModeOf } from './guard-settings.js';
import { type Issuer, readIssuers } from './issuer-settings.js';
import { type LogLevel, logLevels } from './log.js';
import { type NativeSettings, readNativeSettings } from './native-settings.js';
import type { ConfiguredServers, ToolPreferences } from './server-settings.js';
import {
  type DefaultedName,
  type Environment,
  type Flags,
  oneOf,
  type ProviderSection,
  readDatabaseUrl,
  readSetting,
  readWholeNumber,
  type Setting,
  type SettingName,
  settingOrDefault,
  settings,
  warnOfUnknown,
} from './settings.js';

/** All settings, parsed once: flags win over the environment, which wins over the config file and the defaults. */
/** A long-lived process that works the queue, as `agent-runtime worker` was told. */
export interface WorkerConfig {
  id: string;
  /** The job types that it takes; all unless given. */
  types?: readonly string[] | undefined;
  /** What it has beside providers and modules, such as gpu. */
  provides: readonly string[];
  /** Model calls at once. */
  calls: number;
  /** Other jobs at once, each in a process of its own. */
  processes: number;
}

export interface Config {
  home: string;
  dbPath: string;
  /** A PostgreSQL database in place of the file. */
  dbUrl: string | undefined;
  /** What tells this host from the others of a database; its machine id and name unless given. */
  hostId: string | undefined;
  configPath: string;
  dataDir: string;
  logLevel: LogLevel;
  /** How many days the log files are kept. */
  logDays: number;
  toolsets: string;
  isReadOnly: boolean;
  /** What the guard does about edits of paths that another session has reserved. */
  guard: GuardMode;
  workerSlots: number;
  /** Processes of background jobs at once, over all sessions. */
  maxRunningJobs: number;
  /** Set in a worker and in the runners that it starts. */
  worker: WorkerConfig | undefined;
  /** Model calls in the background at once, over all sessions. */
  maxModelCalls: number;
  /** Model calls that one process carries. */
  callsPerRunner: number;
  runnerHeapMb: number;
  /** How many jobs with a concurrency key run at once, by key; `*` stands for any text. */
  concurrency: Readonly<Record<string, number>>;
  /** How often model providers may be called within 60 seconds, by their ids. */
  rates: Readonly<Record<string, { requestsPerMinute?: number | undefined; tokensPerMinute?: number | undefined }>>;
  /** What ended so many days ago is deleted. */
  retentionDays: number | undefined;
  /** The model of tasks that do not name one. */
  model: string | undefined;
  /** The settings of each model provider by its id, checked by its own schema: read them with `settingsOf` of `llm/`. */
  providers: Readonly<Record<string, unknown>>;
  /** Changes to the providers' tables of aliases and retired model ids. */
  models: NonNullable<ConfigFile['models']>;
  /** What models cost, where it is not what is known of them. */
  prices: NonNullable<ConfigFile['prices']>;
  /** The user's own modules with agents. */
  agents: readonly ConfiguredModule[];
  /** The user's own modules that get events, by name. */
  sinks: ReadonlyMap<string, ConfiguredSink>;
  /** Hosts, addresses and networks that webhooks may reach although they are private. */
  webhooksAllowPrivate: readonly string[];
  /** What jobs of type `command` may run, by name. */
  commands: ReadonlyMap<string, AllowedCommand>;
  /** The other MCP servers that this one may start or reach. */
  servers: ConfiguredServers;
  toolPreferences: ToolPreferences;
  pricesUrl: string | undefined;
  /** Another runtime that gets every call, in place of one in this process. */
  remote: { url: string; token: string | undefined } | undefined;
  /** The port to serve HTTP on, if one was asked for. */
  port: number | undefined;
  /** Whose access tokens let callers in over HTTP, beside this runtime's own. */
  issuers: readonly Issuer[];
  native: NativeSettings;
  /** The client's conversation, if the client gives its id. It stays the same when the conversation is resumed. */
  clientSessionId: string | undefined;
  /** The project directory that the client works in, '' when it does not say. */
  project: string;
  /** How many agents started one another above this process. It limits agents that start agents. */
  depth: number;
  /** The environment, with the secrets file for what it does not set. */
  env: Environment;
  /** Values that must never be shown. */
  secrets: readonly string[];
  /** What in the environment is most likely a mistake, a sentence each. */
  warnings: readonly string[];
}

/** A module of the user's own, as the config file names it. */
export interface ConfiguredModule {
  /** Absolute. */
  path: string;
  /** Names of the variables that its processes get beside the ordinary ones, and no other process does. */
  env: readonly string[];
}

/** A sink, as the config file names it. */
export interface ConfiguredSink extends ConfiguredModule {
  /** Patterns of kinds of events. */
  events: readonly string[];
  project: string | undefined;
  goal: number | undefined;
}

/** A program that jobs may run, as the config file allows it. */
export interface AllowedCommand {
  /** An absolute path, or a name to look for on the PATH. */
  program: string;
  /** Always given first. */
  args: readonly string[];
  /** Whether a job may add arguments, or the patterns that each of them must match from beginning to end. */
  allowArgs: boolean | readonly string[];
  cwd: string;
  /** Names of variables that it gets in addition to the ordinary ones. */
  env: readonly string[];
  timeoutSeconds: number | undefined;
  maxOutputBytes: number;
}

/**
 * Reads all settings; `readConfig` of `config.ts` is this with the providers of `llm/`. Throws `invalid`, naming the
 * variable or the config file's key, and what it may be.
 */
export function readConfigWith(
  providers: readonly ProviderSection[],
  flags: Flags = {},
  environment: Environment = environmentWithout([]),
): Config {
  const home = environment.HOME || homedir();
  const setting = (name: SettingName) => readSetting(environment, name);
  const chosen = (name: DefaultedName) => settingOrDefault(environment, name, flags);
  const limit = (name: DefaultedName, inFile: number | undefined) =>
    readWholeNumber(environment, name) ?? inFile ?? Number(chosen(name));
  const configPath = path(chosen('AGENT_RUNTIME_CONFIG'), home);
  const { file, servers } = readConfigFile(configPath, providers);
  const env = withSecrets(environment, file, { home, configPath });
  const limits = file.limits ?? {};
  const native = readNativeSettings(env);
  const settingsOf = (provider: ProviderSection) =>
    provider.kind === undefined ? providerSettings(provider, file, env) : sectionsOfKind(providers, file);
  const modules = [...split(setting('AGENT_RUNTIME_AGENTS')), ...(flags.agents ?? [])];
  const agents = agentsOf(file, modules, { home, configPath });
  const sinks = sinksOf(file, { home, configPath });
  const worker = readWorker(environment);
  const issuers = readIssuers(env, file.issuers);
  const namedSecrets = providers.flatMap((provider) => provider.secretVariables?.(settingsOf(provider)) ?? []);

  return {
    home,
    configPath,
    dbPath: path(chosen('AGENT_RUNTIME_DB_PATH'), home),
    dbUrl: flags.db === undefined ? readDatabaseUrl(env) : undefined,
    hostId: setting('AGENT_RUNTIME_HOST_ID'),
    dataDir: path(chosen('AGENT_RUNTIME_DATA_DIR'), home),
    logLevel: oneOf(logLevels, 'AGENT_RUNTIME_LOG_LEVEL', chosen('AGENT_RUNTIME_LOG_LEVEL')),
    logDays: limits.logDays ?? 7,
    toolsets: chosen('AGENT_RUNTIME_TOOLSETS'),
    isReadOnly: isOn(chosen('AGENT_RUNTIME_READ_ONLY')),
    guard: guardModeOf(environment, file.guard),
    workerSlots: limit('AGENT_RUNTIME_WORKER_SLOTS', limits.workerSlots),
    maxRunningJobs: worker?.processes ?? limit('AGENT_RUNTIME_MAX_RUNNING_JOBS', limits.maxRunningJobs),
    maxModelCalls: worker?.calls ?? maxModelCalls(environment, limits),
    worker,
    callsPerRunner: limits.callsPerRunner ?? 16,
    runnerHeapMb: limits.runnerHeapMb ?? 2_048,
    concurrency: limits.concurrency ?? {},
    rates: limits.rates ?? {},
    retentionDays: readWholeNumber(environment, 'AGENT_RUNTIME_RETENTION_DAYS') ?? limits.retentionDays,
    model: setting('AGENT_RUNTIME_MODEL') ?? file.model,
    providers: Object.fromEntries(providers.map((one) => [one.id, settingsOf(one)])),
    models: file.models ?? {},
    prices: file.prices ?? {},
    agents,
    sinks,
    webhooksAllowPrivate: file.webhooks?.allowPrivate ?? [],
    commands: commandsOf(file, { home, configPath }),
    servers,
    toolPreferences: file.toolPreferences ?? {},
    pricesUrl: setting('AGENT_RUNTIME_PRICES_URL'),
    remote: remoteOf((name) => readSetting(env, name)),
    port: readWholeNumber(environment, 'PORT'),
    issuers,
    native,
    clientSessionId: environment.CLAUDE_CODE_SESSION_ID || undefined,
    project: environment.CLAUDE_PROJECT_DIR || '',
    depth: Number(environment.AGENT_RUNTIME_DEPTH) || 0,
    env,
    secrets: [
      ...secretsIn(env, providers, [
        ...namedSecrets,
        ...[...agents, ...sinks.values()].flatMap((module) => module.env),
      ]),
      ...providers.flatMap((provider) => provider.secrets?.(settingsOf(provider)) ?? []),
      ...passwordIn(readSetting(env, 'AGENT_RUNTIME_DB_URL')),
      ...(native.searxng?.secrets ?? []),
      ...issuers.flatMap(({ client }) => client?.secret ?? []),
    ],
    warnings: warnOfUnknown(environment, providers),
  };
}

/** What a worker tells the runners that it starts; nobody else sets it. */
function readWorker({ AGENT_RUNTIME_WORKER: given }: Environment): WorkerConfig | undefined {
  return given ? (JSON.parse(given) as WorkerConfig) : undefined;
}

/** Who limits the jobs and says nothing of calls means both. */
function maxModelCalls(environment: Environment, limits: NonNullable<ConfigFile['limits']>): number {
  return (
    readWholeNumber(environment, 'AGENT_RUNTIME_MAX_MODEL_CALLS') ??
    limits.maxModelCalls ??
    readWholeNumber(environment, 'AGENT_RUNTIME_MAX_RUNNING_JOBS') ??
    limits.maxRunningJobs ??
    16
  );
}

interface Places {
  home: string;
  configPath: string;
}

/** A provider's section of the config file, overridden by its variables. */
function providerSettings(
  { id, environment }: ProviderSection,
  file: ReadConfigFile['file'],
  env: Environment,
): object {
  const settings: Record<string, unknown> = { ...(file.providers?.[id] as object | undefined) };
  for (const [key, setting] of Object.entries(environment)) {
    const value = setting && readSetting(env, setting);
    if (value !== undefined) settings[key] = value;
  }
  return settings;
}

/** The sections that no provider has the name of: their schema has checked their kind. */
function sectionsOfKind(providers: readonly ProviderSection[], { providers: sections = {} }: ReadConfigFile['file']) {
  const known = new Set(providers.flatMap(({ id, kind }) => (kind === undefined ? id : [])));
  return Object.fromEntries(Object.entries(sections).filter(([name]) => !known.has(name)));
}

function remoteOf(setting: (name: SettingName) => string | undefined): Config['remote'] {
  const url = setting('AGENT_RUNTIME_URL');
  if (url === undefined) return undefined;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))
    return { url, token: setting('AGENT_RUNTIME_TOKEN') };
  throw new RuntimeError(
    'invalid',
    `AGENT_RUNTIME_URL is ${JSON.stringify(url)}.`,
    'Set it to an address such as http://127.0.0.1:3335.',
  );
}

/** Each module once, in the order given: the first that declares a job type wins. */
function agentsOf(file: ReadConfigFile['file'], more: readonly string[], places: Places): ConfiguredModule[] {
  const modules = new Map<string, readonly string[]>();
  for (const entry of [...(file.agents ?? []), ...more]) {
    const { module, env = [] } = typeof entry === 'string' ? { module: entry } : entry;
    const path = resolvePath(module, places);
    modules.set(path, [...new Set([...(modules.get(path) ?? []), ...env])]);
  }
  return [...modules].map(([path, env]) => ({ path, env }));
}

function sinksOf({ sinks = {} }: ReadConfigFile['file'], places: Places): Map<string, ConfiguredSink> {
  const configured = Object.entries(sinks).map(([name, entry]): [string, ConfiguredSink] => {
    const { module, env = [], events = ['*'], project, goal } = typeof entry === 'string' ? { module: entry } : entry;
    return [name, { path: resolvePath(module, places), env, events, project, goal }];
  });
  return new Map(configured);
}

const split = (paths = ''): string[] => paths.split(delimiter).filter(Boolean);

const usualOutputBytes = 1_000_000;

function commandsOf(file: ReadConfigFile['file'], places: Places): Map<string, AllowedCommand> {
  const commands = Object.entries(file.commands ?? {}).map(([name, command]): [string, AllowedCommand] => [
    name,
    {
      program: /[\\/]/.test(command.program) ? resolvePath(command.program, places) : command.program,
      args: command.args ?? [],
      allowArgs: command.allowArgs ?? false,
      cwd: command.cwd === undefined ? places.home : resolvePath(command.cwd, places),
      env: command.env ?? [],
      timeoutSeconds: command.timeoutSeconds,
      maxOutputBytes: command.maxOutputBytes ?? usualOutputBytes,
    },
  ]);
  return new Map(commands);
}

/** The environment wins over the secrets file. */
function withSecrets(environment: Environment, file: ReadConfigFile['file'], places: Places): Environment {
  if (file.secretsFile === undefined) return environment;
  const env: Record<string, string | undefined> = readSecretsFile(resolvePath(file.secretsFile, places));
  for (const [name, value] of Object.entries(environment)) if (value) env[name] = value;
  return env;
}

const secretName = /(_|^)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

function secretsIn(env: Environment, providers: readonly ProviderSection[], named: readonly string[]): string[] {
  const ofProviders = providers.flatMap(({ environment }) => Object.values(environment));
  const known = new Set(
    [...settings, ...ofProviders].flatMap((setting: Setting | undefined) =>
      setting?.isSecret ? [setting.name, ...(setting.aliases ?? [])] : [],
    ),
  );
  for (const name of named) known.add(name);
  return Object.entries(env).flatMap(([name, value]) =>
    value && (known.has(name) || secretName.test(name)) ? [value] : [],
  );
}

function path(text: string, home: string): string {
  return text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : resolve(text);
}

/** The password that an address may hold, as it stands there and as it is meant. */
function passwordIn(url: string | undefined): string[] {
  const [, password] = /^postgres(?:ql)?:\/\/[^/@]*:([^/@]+)@/.exec(url ?? '') ?? [];
  if (password === undefined) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

function isOn(text: string): boolean {
  return /^(1|true|yes|on)$/i.test(text);
}
