import { devNull } from 'node:os';
import { delimiter } from 'node:path';
import type { AgentRegistry } from '../agents/index.js';
import type { HostedModule } from '../agents/modules/modules.js';
import type { SinkSetting } from '../agents/sinks/sink-process.js';
import { ordinaryVariables, pickVariables } from '../base/child-environment.js';
import type { Config } from '../base/config.js';
import { noDatabaseUrl, readDatabaseUrl, readSetting, type Setting, settings } from '../base/settings.js';
import type { Capabilities } from '../core/jobs/claim-job.js';
import type { Lane, LaneLimit } from '../core/jobs/lane.js';
import type { Models } from '../llm/index.js';
import { type ProviderDeclaration, settingsOf } from '../llm/provider.js';
import { providers } from '../llm/providers.js';

/**
 * The environment of a detached runner: what any program needs, this program's own settings and the providers' keys.
 * Nothing else of the session that starts it is passed on, and no other secret. Paths are passed on as resolved.
 */
export function runnerEnvironment(
  config: Config,
  declarations: readonly ProviderDeclaration[] = providers,
): Record<string, string> {
  const named = [
    ...ordinaryVariables,
    ...(config.dbUrl === undefined ? [] : postgresVariables),
    ...declarations.flatMap((provider) => provider.passedOn?.(settingsOf(provider, config)) ?? []),
    ...[...config.commands.values(), ...config.agents].flatMap(({ env }) => env),
    ...[...(config.pricesUrl ?? '').matchAll(/\{env:(\w+)\}/g)].flatMap(([, name]) => name ?? []),
  ];
  return {
    ...pickVariables(config.env, named),
    ...given(
      settings.flatMap((setting: Setting) =>
        setting.isForServerOnly ? [] : [[setting.name, readSetting(config.env, setting)]],
      ),
    ),
    ...given(declarations.flatMap((provider) => variablesOf(provider, config))),
    ...given([['AGENT_RUNTIME_AGENTS', config.agents.map(({ path }) => path).join(delimiter)]]),
    ...ofFlags(config),
    AGENT_RUNTIME_DEPTH: String(config.depth),
    ...given([['AGENT_RUNTIME_WORKER', config.worker && JSON.stringify(config.worker)]]),
  };
}

/** What a flag of the session may have said, which wins over its own environment and over the secrets file. */
function ofFlags(config: Config): Record<string, string> {
  const isUrlOverridden = config.dbUrl === undefined && readDatabaseUrl(config.env) !== undefined;
  return {
    AGENT_RUNTIME_DB_PATH: config.dbPath,
    ...(isUrlOverridden ? { AGENT_RUNTIME_DB_URL: noDatabaseUrl } : {}),
    AGENT_RUNTIME_CONFIG: config.configPath,
    AGENT_RUNTIME_DATA_DIR: config.dataDir,
    AGENT_RUNTIME_LOG_LEVEL: config.logLevel,
    AGENT_RUNTIME_TOOLSETS: config.toolsets,
    AGENT_RUNTIME_READ_ONLY: config.isReadOnly ? '1' : '0',
  };
}

/** What PostgreSQL's own programs take as well: how the database that the address names is entered. */
const postgresVariables = ['PGPASSWORD', 'PGPASSFILE', 'PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY'];

/** The user's own modules, each with the variables that the config file gives it. */
export function modulesOf({ agents, env }: Config): HostedModule[] {
  return agents.map(({ path, env: names }) => {
    const variables = pickVariables(env, names);
    return { path, variables, missing: names.filter((name) => variables[name] === undefined) };
  });
}

/** The sinks that the config file names, by name. */
export function sinksOf(config: Config): Map<string, SinkSetting> {
  const ordinary = config.sinks.size > 0 ? moduleEnvironment(config) : {};
  const settings = [...config.sinks].map(([name, { path, env, events, project, goal }]): [string, SinkSetting] => {
    const filter = { events, project: project ?? null, goalId: goal ?? null };
    return [name, { module: path, env: { ...ordinary, ...pickVariables(config.env, env) }, filter }];
  });
  return new Map(settings);
}

/** The environment of every process that only inspects a module of the user's: that of a runner, without any secret. */
export function moduleEnvironment(config: Config): Record<string, string> {
  const entries = Object.entries(runnerEnvironment(config));
  return Object.fromEntries(entries.filter(([, value]) => !config.secrets.includes(value)));
}

/**
 * The environment of the keeper of shared servers, which calls no model and runs no job. It is told all that it starts by
 * sessions and reads no config file, so that a mistake there keeps no server from running.
 */
export function keeperEnvironment(config: Config): Record<string, string> {
  const idle = { ...config, commands: new Map(), pricesUrl: undefined, agents: [] };
  return { ...runnerEnvironment(idle, []), AGENT_RUNTIME_CONFIG: devNull };
}

/** What a runner of this configuration can run: a provider that works without settings counts as configured. */
export function capabilitiesOf(
  models: Models,
  { types, provides }: Pick<AgentRegistry, 'types' | 'provides'>,
  { worker, rates }: Pick<Config, 'worker' | 'rates'>,
): Capabilities {
  const usable = models.available().filter(({ isUsable }) => isUsable);
  return {
    types: worker?.types ? new Set(worker.types) : types,
    isOfTypesAlone: worker?.types !== undefined,
    provides: [...usable.map(({ id }) => id), ...provides],
    labels: worker?.provides ?? [],
    rates,
  };
}

/** How many jobs of each lane may be at work. */
export function lanesOf({ maxModelCalls, callsPerRunner, maxRunningJobs }: Config): Record<Lane, LaneLimit> {
  return {
    call: { atOnce: maxModelCalls, perRunner: Math.min(callsPerRunner, maxModelCalls) },
    process: { atOnce: maxRunningJobs, perRunner: 1 },
  };
}

/** A provider's settings under the names of their variables, wherever they were set. */
function variablesOf(provider: ProviderDeclaration, config: Config): [string, string | undefined][] {
  const chosen = settingsOf(provider, config);
  return Object.entries(provider.environment).flatMap(([key, setting]): [string, string | undefined][] => {
    const value = chosen[key];
    return setting && typeof value === 'string' ? [[setting.name, value]] : [];
  });
}

function given(entries: readonly (readonly [string, string | undefined])[]): Record<string, string> {
  return Object.fromEntries(entries.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
