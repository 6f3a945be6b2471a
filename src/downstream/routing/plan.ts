import { isAnnotatedSafe, isReadOnly } from '../connection/tool-description.js';
import type { Pool } from '../pool/pool.js';
import type { Score } from './call-log.js';
import { scoreKey } from './call-log.js';
import type { Candidate, Resolved } from './resolve.js';
import type { Route } from './routes.js';

export const urgencies = ['high', 'medium', 'low'] as const;
export type Urgency = (typeof urgencies)[number];

/** Whom an agent likes to have its tools from. */
export interface AgentWishes {
  native_tools?: string[] | undefined;
  servers?: string[] | undefined;
}

export interface PlanNeeds {
  resolved: Resolved;
  route: Route;
  urgency: Urgency;
  agent: AgentWishes;
  pools: ReadonlyMap<string, Pool>;
  scores: ReadonlyMap<string, Score>;
  /** Whether the arguments are such as the native tool takes. */
  suitsNative: boolean;
}

/** Who is asked in which order: native, primary, backups, as the caller's urgency and the rules would have it. */
export async function planCall(needs: PlanNeeds): Promise<Candidate[]> {
  const { resolved, route, urgency, agent } = needs;
  const servers = await serversFor(needs);
  const native: Candidate[] =
    resolved.native && needs.suitsNative
      ? [{ source: 'native', name: resolved.native.name, tool: resolved.native }]
      : [];
  const isNativeFirst =
    route.prefer === 'native' ||
    urgency === 'high' ||
    agent.native_tools?.includes(resolved.bare) ||
    // Whoever names a server means that one; the native tool stands in for it.
    (!resolved.isQualified && route.prefer === undefined);
  const inOrder = isNativeFirst ? [...native, ...servers] : [...servers, ...native];
  if (urgency === 'low') return cheapestFirst(inOrder, needs.scores);
  return healthyFirst(inOrder, needs.scores);
}

/** The primary and its backups, those that the agent or the route prefers first. */
async function serversFor({ resolved, route, agent, pools }: PlanNeeds): Promise<Candidate[]> {
  const { primary, bare } = resolved;
  const candidates: Candidate[] = primary ? [{ source: 'primary', name: resolved.name, ...primary }] : [];
  for (const backup of [...route.backups, ...(primary?.pool.settings.backups ?? [])]) {
    const [server = '', ...rest] = backup.split('.');
    const pool = pools.get(server);
    const wanted = rest.length > 0 ? rest.join('.') : bare;
    const name = `${server}.${wanted}`;
    if (!pool || candidates.some((candidate) => candidate.name === name)) continue;
    // A server that has not been seen yet is asked when its turn comes.
    const list = await pool.knownTools();
    const tool = list ? list.tools.find((known) => known.name === wanted) : { name: wanted };
    if (tool) candidates.push({ source: 'backup', name, pool, tool });
  }
  const liked = [route.prefer, ...(agent.servers ?? [])];
  const rank = (candidate: Candidate) => {
    const place = candidate.source === 'native' ? -1 : liked.indexOf(candidate.pool.server);
    return place === -1 ? liked.length : place;
  };
  return candidates.sort((one, other) => rank(one) - rank(other));
}

/** Below this many calls nothing is known. */
const leastWeight = 3;
const sickRate = 0.5;

function scoreOf(candidate: Candidate, scores: ReadonlyMap<string, Score>): Score | undefined {
  const instance = candidate.source === 'native' ? 'native' : candidate.pool.server;
  const score = scores.get(scoreKey(candidate.name, instance));
  return score && score.weight >= leastWeight ? score : undefined;
}

/** One that has failed more often than not is asked after the others; it is not left out, for it may be well again. */
function healthyFirst(candidates: Candidate[], scores: ReadonlyMap<string, Score>): Candidate[] {
  const isSick = (candidate: Candidate) => Number((scoreOf(candidate, scores)?.errorRate ?? 0) > sickRate);
  return candidates.sort((one, other) => isSick(one) - isSick(other));
}

/** The cheapest that is well: what needs no process, then what is up, then what has to be started; the quick first. */
function cheapestFirst(candidates: Candidate[], scores: ReadonlyMap<string, Score>): Candidate[] {
  const cost = (candidate: Candidate) => (candidate.source === 'native' ? 0 : candidate.pool.isUp() ? 1 : 2);
  const latency = (candidate: Candidate) => scoreOf(candidate, scores)?.latencyMs ?? Number.MAX_VALUE;
  return healthyFirst(
    candidates.sort((one, other) => cost(one) - cost(other) || latency(one) - latency(other)),
    scores,
  );
}

/** Whether asking it once more, or another after it, can do no harm. */
export function isSafe(candidate: Candidate, route: Route): boolean {
  if (candidate.source === 'native') return candidate.tool.isReadOnly;
  const { tool, pool } = candidate;
  return route.retrySafe ?? (isAnnotatedSafe(tool) || (pool.settings.retrySafe?.includes(tool.name) ?? false));
}

/** For how many seconds an answer may be used again unasked; 0 for not at all. */
export function freshSeconds(resolved: Resolved, route: Route): number {
  return route.cacheSeconds ?? resolved.primary?.pool.settings.cache?.[resolved.bare] ?? 0;
}

/** Whether an answer may stand for a later one: of a tool that only reads, or where somebody has said so. */
export function isCacheable(candidate: Candidate, resolved: Resolved, route: Route): boolean {
  return freshSeconds(resolved, route) > 0 || candidate.source === 'native' || isReadOnly(candidate.tool);
}
