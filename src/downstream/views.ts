import { z } from 'zod';
import type { EpochMs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { Redact } from '../base/redact.js';
import { isShared, type UnusedServer } from '../base/server-settings.js';
import type { Sql } from '../store/sql.js';
import { lastWords } from './connection/last-words.js';
import { isReadOnly } from './connection/tool-description.js';
import type { Exposure } from './exposed-tools.js';
import type { NativeTool } from './native/define-native-tool.js';
import type { InstanceView, Pool } from './pool/pool.js';
import { rankTools } from './rank-tools.js';
import type { CallMetrics, InstanceStats } from './routing/call-metrics.js';
import { nativeServer } from './routing/resolve.js';

export interface ToolFilter {
  /** What a tool should do, in words; any of them may occur in its name, description or parameters. */
  query?: string | undefined;
  server?: string | undefined;
}

/**
 * up: an instance runs. idle: a call will start it. down: it was tried and did not start, or does not answer. off: it is
 * switched off in the config file, or left out because its entry is wrong.
 */
export const serverHealths = ['native', 'up', 'idle', 'down', 'off'] as const;
export type ServerHealth = (typeof serverHealths)[number];

export interface ListedTool {
  /** The name for call_tool. */
  name: string;
  description: string;
  health: ServerHealth;
  isReadOnly: boolean;
  /** Not as it was at first sight, and not accepted since. */
  isChanged: boolean;
  inputSchema: JsonObject;
  /** When its server listed it; null for native tools. */
  listedAt: EpochMs | null;
}

/** What can be called, and the servers whose tools are not known because they have not started so far. */
export interface ToolListing {
  tools: ListedTool[];
  unlisted: SickServer[];
}

export interface ToolListNeeds {
  pools: ReadonlyMap<string, Pool>;
  natives: readonly NativeTool[];
  redact: Redact;
}

/** A list is of use without the servers that are slow to start, and those are in the next one. */
const listTimeoutMs = 5_000;

/** Every tool that can be called, the best match of a query first. A server that is down has the tools of its last list. */
export async function listTools(
  { query = '', server }: ToolFilter,
  { pools, natives, redact }: ToolListNeeds,
): Promise<ToolListing> {
  const chosen = [...pools.values()].filter((pool) => server === undefined || pool.server === server);
  const own = server === undefined || server === nativeServer ? natives.map(listNative) : [];
  const others = await Promise.all(chosen.map((pool) => listPool(pool, redact)));
  const tools = await rankTools([...own, ...others.flatMap((listed) => listed.tools)], query);
  return { tools, unlisted: others.flatMap(({ unlisted }) => unlisted) };
}

async function listPool(pool: Pool, redact: Redact): Promise<ToolListing> {
  try {
    return { tools: await toolsOf(pool), unlisted: [] };
  } catch (error) {
    return { tools: [], unlisted: [{ server: pool.server, problem: messageOf(error), said: saidBy(pool, redact) }] };
  }
}

async function toolsOf(pool: Pool): Promise<ListedTool[]> {
  const list = await pool.tools({ isFresh: false, timeoutMs: listTimeoutMs });
  const changed = await pool.changedTools();
  return list.tools.map((tool) => ({
    name: `${pool.server}.${tool.name}`,
    description: tool.description ?? '',
    health: healthOf(pool),
    isReadOnly: isReadOnly(tool),
    isChanged: changed.has(tool.name),
    inputSchema: (tool.inputSchema ?? {}) as JsonObject,
    listedAt: list.listedAt,
  }));
}

function listNative(tool: NativeTool): ListedTool {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: 'input', unrepresentable: 'any' });
  return {
    name: tool.name,
    description: tool.description,
    health: 'native',
    isReadOnly: true,
    isChanged: false,
    inputSchema: schema as JsonObject,
    listedAt: null,
  };
}

/** One instance: its process in this session, and the calls of all sessions in the last hour. */
export interface InstanceReport extends Omit<InstanceView, 'lastWords'> {
  /** What it wrote at the end, the lines that say why. Data, not our wording. */
  said: string | undefined;
  p50Ms: number | undefined;
  p95Ms: number | undefined;
  errorRate: number | undefined;
  calls: number;
  breaker: string;
}

export interface ServerView {
  server: string;
  /** The whole command or address of the config file: a person must be able to see what is run. */
  runs: string;
  health: ServerHealth;
  /** The number of its tools, if they were ever listed. */
  tools: number | undefined;
  listedAt: EpochMs | undefined;
  backups: readonly string[];
  /** Whether all sessions use the same processes. */
  isShared: boolean;
  /** Of the process that keeps shared servers; undefined if this one is not shared, or if none is kept now. */
  keeperPid: number | undefined;
  /** How many of its tools are tools of this server too. */
  exposed: number;
  /** What of `expose` in its entry cannot be as it says. */
  exposeProblems: readonly string[];
  instances: InstanceReport[];
  /** Why it is left out, if its entry of the config file is wrong; or the login that it needs. */
  problem?: string;
}

export interface ServersNeeds {
  pools: ReadonlyMap<string, Pool>;
  unused: readonly UnusedServer[];
  exposure: Exposure;
  db: Sql;
  metrics: CallMetrics;
  redact: Redact;
  keeperPid: number | undefined;
  /** The login that a server needs, in words. */
  wantedLogin(pool: Pool): string | undefined;
}

const hourMs = 3_600_000;

/** All servers of the config file with their instances. */
export async function viewServers(needs: ServersNeeds): Promise<ServerView[]> {
  const { pools, unused, exposure, db, metrics, redact, wantedLogin, keeperPid } = needs;
  const stats = await metrics.byInstance(hourMs);
  const rows = await db.all<{ id: string; state: string }>("select id, state from breakers where id like 'server:%'");
  const breakers = new Map(rows.map(({ id, state }) => [id, state]));
  const used = await Promise.all(
    [...pools.values()].map(async (pool): Promise<ServerView> => {
      const list = await pool.knownTools();
      const problem = wantedLogin(pool);
      return {
        server: pool.server,
        runs: describeLaunch(pool),
        health: healthOf(pool),
        tools: list?.tools.length,
        listedAt: list?.listedAt,
        backups: pool.settings.backups ?? [],
        isShared: isShared(pool.settings),
        keeperPid: isShared(pool.settings) ? keeperPid : undefined,
        exposed: exposure.tools.filter(({ server }) => server === pool.server).length,
        exposeProblems: exposure.problems.get(pool.server) ?? [],
        instances: pool.instances().map((instance) => ({
          ...report(instance, stats, breakers),
          said: lastWords(instance.lastWords, redact),
        })),
        ...(problem !== undefined && { problem }),
      };
    }),
  );
  return [...used, ...unused.map(viewUnused)];
}

function viewUnused({ server, problem }: UnusedServer): ServerView {
  const none = {
    runs: '',
    tools: undefined,
    listedAt: undefined,
    backups: [],
    exposed: 0,
    exposeProblems: [],
    instances: [],
    isShared: false,
    keeperPid: undefined,
  };
  return { server, health: 'off', ...none, ...(problem === undefined ? {} : { problem }) };
}

function report(
  instance: InstanceView,
  stats: ReadonlyMap<string, InstanceStats>,
  breakers: ReadonlyMap<string, string>,
): Omit<InstanceReport, 'said'> {
  const { calls, failed, p50Ms, p95Ms } = stats.get(instance.id) ?? { calls: 0, failed: 0 };
  return {
    ...instance,
    calls,
    p50Ms: calls === failed ? undefined : p50Ms,
    p95Ms: calls === failed ? undefined : p95Ms,
    errorRate: calls === 0 ? undefined : failed / calls,
    breaker: breakers.get(`server:${instance.id}`) ?? 'closed',
  };
}

function describeLaunch({ settings }: Pool): string {
  return 'command' in settings ? [settings.command, ...(settings.args ?? [])].join(' ') : settings.url;
}

export interface SickServer {
  server: string;
  problem: string;
  /** What its process wrote at the end. Data, not our wording. */
  said: string | undefined;
}

/** The servers that this session has tried and that are not fully up, and those that need a login. */
export function sickServers({
  pools,
  redact,
  wantedLogin,
}: Pick<ServersNeeds, 'pools' | 'redact' | 'wantedLogin'>): SickServer[] {
  return [...pools.values()].flatMap((pool) => {
    const login = wantedLogin(pool);
    if (login !== undefined) return [{ server: pool.server, problem: login, said: undefined }];
    const instances = pool.instances();
    const sick = instances.filter(isSick);
    const [first] = sick;
    if (!first) return [];
    const count = instances.length === 1 ? '' : `${sick.length} of ${instances.length} instances: `;
    return [
      {
        server: pool.server,
        problem: `${count}${problemOf(first)}`,
        said: saidBy(pool, redact),
      },
    ];
  });
}

/** What an instance of a server wrote when it failed last. Data, not our wording. */
export function saidBy(pool: Pool, redact: Redact): string | undefined {
  return lastWords(pool.instances().find(({ lastWords }) => lastWords !== undefined)?.lastWords, redact);
}

function healthOf(pool: Pool): ServerHealth {
  const instances = pool.instances();
  if (instances.some(({ state }) => state === 'ready')) return 'up';
  return instances.length === 0 || instances.some(isSick) ? 'down' : 'idle';
}

/** Whether it should be up and is not. A first start is not sickness, unless it is late; a restart is. */
function isSick({ state, restarts, isLate }: InstanceView): boolean {
  return state !== 'ready' && state !== 'stopped' && (state !== 'starting' || restarts > 0 || isLate);
}

function problemOf({ state, lastFailure, comingUpMs, isLate }: InstanceView): string {
  const since = isLate ? ` for ${Math.round(comingUpMs / 1_000)} s` : '';
  return `${state.replace('_', ' ')}${since}, ${lastFailure ?? 'no answer'}`;
}
