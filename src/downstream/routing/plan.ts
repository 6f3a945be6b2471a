import type { ToolPreferences } from '../../base/server-settings.js';
import { isAnnotatedSafe, isReadOnly } from '../connection/tool-description.js';
import type { Pool } from '../pool/pool.js';
import { type Score, type Scores, scoreKey } from './call-metrics.js';
import { type Candidate, nativeServer, type Resolved } from './resolve.js';
import type { Route } from './routes.js';

export const urgencies = ['high', 'medium', 'low'] as const;
export type Urgency = (typeof urgencies)[number];

/** The sources that an agent prefers, as the config file has them. */
export type AgentPreferences = ToolPreferences[string];

export interface PlanNeeds {
  resolved: Resolved;
  route: Route;
  urgency: Urgency;
  agent: AgentPreferences;
  pools: ReadonlyMap<string, Pool>;
  scores: Scores;
  /** Whether the native tool's schema accepts the arguments. */
  suitsNative: boolean;
}

/** The candidates in the order in which they are asked, by urgency, route and preferences: native, primary, backups. */
export async function planCall(needs: PlanNeeds): Promise<Candidate[]> {
  const { resolved, route, urgency, agent } = needs;
  const servers = await serversFor(needs);
  const native: Candidate[] =
    resolved.native && needs.suitsNative
      ? [{ source: 'native', name: resolved.native.name, tool: resolved.native }]
      : [];
  const isNativeFirst =
    route.prefer === nativeServer ||
    (!route.backups.includes(nativeServer) &&
      (urgency === 'high' ||
        agent.native_tools?.includes(resolved.bare) ||
        // A caller who names a server means that server; the native tool is then a backup.
        (!resolved.isQualified && route.prefer === undefined)));
  const inOrder = isNativeFirst ? [...native, ...servers] : [...servers, ...native];
  if (urgency === 'low') return cheapestFirst(inOrder, needs.scores);
  return healthyFirst(inOrder, needs.scores);
}

/** The primary and its backups, those that the route or the agent prefers first. */
async function serversFor({ resolved, route, agent, pools }: PlanNeeds): Promise<Candidate[]> {
  const { primary, bare } = resolved;
  const candidates: Candidate[] = primary
    ? [{ source: 'primary', name: resolved.name, ...primary, isListed: true }]
    : [];
  for (const backup of [...route.backups, ...(primary?.pool.settings.backups ?? [])]) {
    const [server = '', ...rest] = backup.split('.');
    const pool = pools.get(server);
    const wanted = rest.length > 0 ? rest.join('.') : bare;
    const name = `${server}.${wanted}`;
    if (!pool || candidates.some((candidate) => candidate.name === name)) continue;
    // A server that was never listed may have the tool: it stays a candidate.
    const list = await pool.knownTools();
    const tool = list ? list.tools.find((known) => known.name === wanted) : { name: wanted };
    if (tool) candidates.push({ source: 'backup', name, pool, tool, isListed: list !== undefined });
  }
  const preferred = [route.prefer, ...(agent.servers ?? [])];
  const rank = (candidate: Candidate) => {
    const index = candidate.source === 'native' ? -1 : preferred.indexOf(candidate.pool.server);
    return index === -1 ? preferred.length : index;
  };
  return candidates.sort((one, other) => rank(one) - rank(other));
}

/** Fewer calls than this say nothing about a source. */
const leastWeight = 3;
const sickRate = 0.5;

/** The score of a candidate, if it rests on enough calls. */
function scoreOf(candidate: Candidate, scores: Scores): Score | undefined {
  const score = scores.get(scoreKey(candidate.name, sourceName(candidate)));
  return score && score.weight >= leastWeight ? score : undefined;
}

/** Moves the candidates that failed more often than not to the end. They stay candidates: they may have recovered. */
function healthyFirst(candidates: Candidate[], scores: Scores): Candidate[] {
  const isSick = (candidate: Candidate) => Number((scoreOf(candidate, scores)?.errorRate ?? 0) > sickRate);
  return candidates.sort((one, other) => isSick(one) - isSick(other));
}

/** Native tools, then servers that are up, then those to be started; among equals the fastest, and healthy ones first. */
function cheapestFirst(candidates: Candidate[], scores: Scores): Candidate[] {
  const cost = (candidate: Candidate) => (candidate.source === 'native' ? 0 : candidate.pool.isUp() ? 1 : 2);
  const latency = (candidate: Candidate) => scoreOf(candidate, scores)?.latencyMs ?? Number.MAX_VALUE;
  return healthyFirst(
    candidates.sort((one, other) => cost(one) - cost(other) || latency(one) - latency(other)),
    scores,
  );
}

/** `native`, or the server's name. */
export function sourceName(candidate: Candidate): string {
  return candidate.source === 'native' ? 'native' : candidate.pool.server;
}

/** Whether repeating the call, or asking another source after this one, does no harm. */
export function isSafe(candidate: Candidate, route: Route): boolean {
  if (candidate.source === 'native') return candidate.tool.isReadOnly;
  const { tool, pool } = candidate;
  return route.retrySafe ?? (isAnnotatedSafe(tool) || (pool.settings.retrySafe?.includes(tool.name) ?? false));
}

/** For how many seconds a cached answer is used instead of a call; 0 for never. */
export function freshSeconds(resolved: Resolved, route: Route): number {
  return route.cacheSeconds ?? resolved.primary?.pool.settings.cache?.[resolved.bare] ?? 0;
}

/** Whether the answer may be used for a later call: the tool only reads, or the settings or the route allow it. */
export function isCacheable(candidate: Candidate, resolved: Resolved, route: Route): boolean {
  return freshSeconds(resolved, route) > 0 || candidate.source === 'native' || isReadOnly(candidate.tool);
}
