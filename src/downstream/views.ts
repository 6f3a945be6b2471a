import { z } from 'zod';
import type { EpochMs } from '../base/clock.js';
import type { JsonObject } from '../base/json.js';
import type { Sql } from '../store/sql.js';
import { isReadOnly } from './connection/tool-description.js';
import type { NativeTool } from './native/define-native-tool.js';
import type { InstanceView, Pool } from './pool/pool.js';
import type { CallMetrics, CallStats } from './routing/call-metrics.js';
import { nativeServer } from './routing/resolve.js';

export interface ToolFilter {
  /** Words that must all occur in the name or description. */
  query?: string | undefined;
  server?: string | undefined;
}

/** up: an instance runs. idle: a call will start it. down: it was tried and did not start, or does not answer. */
export type ServerHealth = 'native' | 'up' | 'idle' | 'down';

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

const listTimeoutMs = 20_000;

/** Every tool that can be called. A server that is down has the tools of its last list. */
export async function listTools(
  { query = '', server }: ToolFilter,
  { pools, natives }: { pools: ReadonlyMap<string, Pool>; natives: readonly NativeTool[] },
): Promise<ListedTool[]> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = [...pools.values()].filter((pool) => server === undefined || pool.server === server);
  const own = server === undefined || server === nativeServer ? natives.map(listNative) : [];
  const others = await Promise.all(chosen.map(listPool));
  return [...own, ...others.flat()].filter(({ name, description }) => {
    const text = `${name} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

async function listPool(pool: Pool): Promise<ListedTool[]> {
  const list = await pool.tools({ isFresh: false, timeoutMs: listTimeoutMs }).catch(() => undefined);
  const changed = await pool.changedTools();
  return (list?.tools ?? []).map((tool) => ({
    name: `${pool.server}.${tool.name}`,
    description: tool.description ?? '',
    health: healthOf(pool),
    isReadOnly: isReadOnly(tool),
    isChanged: changed.has(tool.name),
    inputSchema: (tool.inputSchema ?? {}) as JsonObject,
    listedAt: list?.listedAt ?? null,
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
export interface InstanceReport extends InstanceView {
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
  instances: InstanceReport[];
}

export interface ServersNeeds {
  pools: ReadonlyMap<string, Pool>;
  db: Sql;
  metrics: CallMetrics;
}

const hourMs = 3_600_000;

/** All servers of the config file with their instances. */
export async function viewServers({ pools, db, metrics }: ServersNeeds): Promise<ServerView[]> {
  const stats = await metrics.stats({ sinceMs: hourMs });
  const rows = await db.all<{ id: string; state: string }>("select id, state from breakers where id like 'server:%'");
  const breakers = new Map(rows.map(({ id, state }) => [id, state]));
  return Promise.all(
    [...pools.values()].map(async (pool) => {
      const list = await pool.knownTools();
      return {
        server: pool.server,
        runs: describeLaunch(pool),
        health: healthOf(pool),
        tools: list?.tools.length,
        listedAt: list?.listedAt,
        backups: pool.settings.backups ?? [],
        instances: pool.instances().map((instance) => report(instance, stats, breakers)),
      };
    }),
  );
}

function report(
  instance: InstanceView,
  stats: readonly CallStats[],
  breakers: ReadonlyMap<string, string>,
): InstanceReport {
  const own = stats.filter((row) => row.instance === instance.id);
  const calls = own.reduce((sum, row) => sum + row.calls, 0);
  const failed = own.reduce((sum, row) => sum + row.failed, 0);
  // The percentiles of its slowest tool: a mean over tools would say nothing about any of them.
  const slowest = (pick: (row: CallStats) => number) => (own.length === 0 ? undefined : Math.max(...own.map(pick)));
  return {
    ...instance,
    calls,
    p50Ms: slowest((row) => row.p50Ms),
    p95Ms: slowest((row) => row.p95Ms),
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
}

/** The servers that this session has tried and that are not fully up. */
export function sickServers(pools: ReadonlyMap<string, Pool>): SickServer[] {
  return [...pools.values()].flatMap((pool) => {
    const instances = pool.instances();
    const sick = instances.filter(isSick);
    if (sick.length === 0) return [];
    const [first] = sick;
    const count = instances.length === 1 ? '' : `${sick.length} of ${instances.length} instances: `;
    return [
      {
        server: pool.server,
        problem: `${count}${first?.state.replace('_', ' ')}, ${first?.lastFailure ?? 'no answer'}`,
      },
    ];
  });
}

function healthOf(pool: Pool): ServerHealth {
  const instances = pool.instances();
  if (instances.some(({ state }) => state === 'ready')) return 'up';
  return instances.length === 0 || instances.some(isSick) ? 'down' : 'idle';
}

/** Whether it should be up and is not. A first start is not sickness, a restart is. */
function isSick({ state, restarts }: InstanceView): boolean {
  return state !== 'ready' && state !== 'stopped' && (state !== 'starting' || restarts > 0);
}
