import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { ToolPreferences } from '../../base/server-settings.js';
import type { CallFailure, CallFailureKind } from '../connection/call-failure.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Pool } from '../pool/pool.js';
import { askInTurn, type Ended, type Turn } from './ask-in-turn.js';
import type { Answered, Attempt, AttemptNeeds } from './attempt.js';
import { type CallCache, callKey } from './cache.js';
import type { CallSource } from './call-metrics.js';
import { type AgentPreferences, freshSeconds, isCacheable, planCall, type Urgency } from './plan.js';
import { afterLogin, type Candidate, type Resolved, type ResolveNeeds, resolveTool, wordsOf } from './resolve.js';
import { emptyRoute, type Routes } from './routes.js';

export interface CallRequest {
  tool: string;
  args: JsonObject;
  /** `medium` unless given. */
  urgency?: Urgency | undefined;
  /** Whose preferences of the config file count. */
  agentId?: string | undefined;
  /** 45 s unless given, and never more. */
  timeoutMs?: number | undefined;
  /** The greatest age of a stale answer; 3,600 unless given, 0 for no stale answer. */
  maxStaleSeconds?: number | undefined;
  signal: AbortSignal;
  onProgress?: ((message: string) => void) | undefined;
}

export interface CallOutcome {
  /** `server.tool`, or the native tool's name. */
  tool: string;
  result: ToolAnswer;
  source: CallSource;
  instance: string;
  /** All attempts in order, the failed ones included. */
  attempts: Attempt[];
  /** Set when no source answered and the answer is from the cache. */
  isStale?: boolean;
  /** The tool is not as it was at first sight, and nobody has accepted that. */
  isChanged?: boolean;
  /** Of an answer from the cache. */
  ageSeconds?: number;
}

export interface CallerNeeds extends AttemptNeeds, Pick<ResolveNeeds, 'whyUnused' | 'said'> {
  pools: ReadonlyMap<string, Pool>;
  natives: readonly NativeTool[];
  preferences: ToolPreferences;
  routes: Routes;
  cache: CallCache;
}

/** A call with its tool resolved. */
interface Call extends Omit<Turn, 'scores' | 'request'> {
  request: CallRequest;
  agent: AgentPreferences;
  resolved: Resolved;
}

/** The end of a call that no candidate gave a result for. */
type Unanswered = Exclude<Ended, { answered: Answered }>;

/** Clients give up after 60 s, and the answer has yet to reach them. */
const longestMs = 45_000;
const usualStaleSeconds = 3_600;

/** Calls a tool: a fresh cached answer, then each candidate in turn, then a stale answer. */
export class Caller {
  readonly #needs: CallerNeeds;

  constructor(needs: CallerNeeds) {
    this.#needs = needs;
  }

  /**
   * Throws RuntimeError: `not_found` and `conflict` for the name, `cancelled`, `unavailable`, `timeout`. An error result
   * of the tool itself is an outcome and does not throw.
   */
  async call(request: CallRequest): Promise<CallOutcome> {
    const call = await this.#resolve(request);
    const fresh = freshSeconds(call.resolved, call.route);
    const cached = fresh > 0 ? await this.#fromCache(call, fresh) : undefined;
    if (cached) return cached;
    const scores = await this.#needs.metrics.scores();
    const candidates = await this.#plan(call, scores);
    const ended = await askInTurn(this.#needs, candidates, { ...call, scores });
    return 'answered' in ended ? this.#answer(call, ended.answered) : this.#withoutAnswer(call, ended);
  }

  async #resolve(request: CallRequest): Promise<Call> {
    const { preferences, routes, pools, natives, whyUnused, said } = this.#needs;
    const deadline = performance.now() + Math.min(request.timeoutMs ?? longestMs, longestMs);
    const agent = (request.agentId === undefined ? undefined : preferences[request.agentId]) ?? {};
    const known = await routes.all();
    const preferred = [known.get(request.tool)?.prefer, ...(agent.servers ?? [])].filter((name) => name !== undefined);
    const timeoutMs = deadline - performance.now();
    const resolved = await resolveTool(request.tool, { pools, whyUnused, said, natives, preferred, timeoutMs });
    const route = known.get(resolved.name) ?? known.get(resolved.bare) ?? emptyRoute(resolved.name);
    return { request, deadline, agent, urgency: request.urgency ?? 'medium', resolved, route, attempts: [] };
  }

  #plan({ resolved, route, urgency, agent, request }: Call, scores: Turn['scores']): Promise<Candidate[]> {
    const accepts = resolved.native?.input.safeParse(request.args).success ?? false;
    // A tool that only this program has is asked in any case: its own error says best what is wrong.
    const suitsNative = accepts || !resolved.primary;
    return planCall({ resolved, route, urgency, agent, pools: this.#needs.pools, scores, suitsNative });
  }

  /** The cached answer, if it is young enough; it counts as an attempt. */
  async #fromCache({ resolved, request, attempts }: Call, maxAgeSeconds: number): Promise<CallOutcome | undefined> {
    const { cache, metrics } = this.#needs;
    const { name } = resolved;
    const startedAt = performance.now();
    const found = await cache.find(callKey(name, request.args), maxAgeSeconds * 1_000);
    if (!found) return undefined;
    const source = 'cache';
    const attempt: Attempt = { source, instance: source, ms: Math.round(performance.now() - startedAt) };
    attempts.push(attempt);
    metrics.record({ tool: name, outcome: 'ok', ...attempt });
    const ageSeconds = Math.round(found.ageMs / 1_000);
    return { tool: name, result: found.answer, source, instance: source, attempts, ageSeconds };
  }

  #answer({ resolved, route, request, attempts }: Call, { candidate, attempt, answer }: Answered): CallOutcome {
    if (!answer.isError && isCacheable(candidate, resolved, route)) {
      this.#needs.cache.keep(callKey(resolved.name, request.args), resolved.name, answer);
    }
    return { tool: candidate.name, result: answer, source: attempt.source, instance: attempt.instance, attempts };
  }

  /** A stale answer, else an error that a server reported, else an error of our own. */
  async #withoutAnswer(call: Call, { failures, reported }: Unanswered): Promise<CallOutcome> {
    const { resolved, attempts, request } = call;
    const maxStale = request.maxStaleSeconds ?? usualStaleSeconds;
    // A call that every server refuses as wrong must not be answered by an older answer.
    const isWrong = failures.length > 0 && failures.every(({ kind }) => kind === 'wrong_call');
    const stale = maxStale > 0 && !isWrong ? await this.#fromCache(call, maxStale) : undefined;
    if (stale) return { ...stale, isStale: true };
    if (reported) return { ...reported, tool: resolved.name, attempts };
    this.#needs.metrics.record({ tool: resolved.name, source: 'none', instance: '', outcome: 'failed', ms: 0 });
    throw noAnswer(call, failures, maxStale, this.#wordsOf(attempts));
  }

  /** What the servers that were asked, and are not up, wrote at their end. */
  #wordsOf(attempts: readonly Attempt[]): string {
    const servers = new Set(attempts.map(({ instance }) => instance.replace(/#\d+$/, '')));
    const pools = [...servers].flatMap((server) => this.#needs.pools.get(server) ?? []);
    return wordsOf(pools, this.#needs.said);
  }
}

function noAnswer(
  { resolved, attempts }: Call,
  failures: readonly CallFailure[],
  maxStale: number,
  words: string,
): RuntimeError {
  const { name, native } = resolved;
  const [only] = failures;
  // The error of a native tool says best what to do, if no other source was asked.
  if (native && failures.length === 1 && only?.cause instanceof RuntimeError) return only.cause;
  const tried = attempts.map(
    ({ source, instance, ms, error }) => `${source} ${instance}: ${error} (${Math.round(ms)} ms)`,
  );
  const cached = maxStale > 0 ? `cache: nothing from the last ${maxStale} s` : 'cache: off (max_stale_seconds is 0)';
  const areAll = (wanted: CallFailureKind) => failures.length > 0 && failures.every(({ kind }) => kind === wanted);
  const message = `No source answered ${name}. ${[...tried, cached].join('; ')}.${words}`;
  if (areAll('rate_limited')) {
    const waits = failures.flatMap(({ waitMs }) => waitMs ?? []);
    const retryAfterSeconds = waits.length === 0 ? undefined : Math.ceil(Math.min(...waits) / 1_000);
    return new RuntimeError('rate_limited', message, 'Call it later, or set a backup with set_tool_route.', {
      retryAfterSeconds,
    });
  }
  if (areAll('needs_login')) return new RuntimeError('not_configured', message, afterLogin);
  return new RuntimeError(
    areAll('timeout') ? 'timeout' : 'unavailable',
    message,
    'Call list_tool_servers to see which servers are down. Backups are set with set_tool_route.',
  );
}
