import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { ToolPreferences } from '../../base/server-settings.js';
import type { CallFailure, CallFailureKind } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Pool } from '../pool/pool.js';
import type { Attempt, Tried, TryCandidate } from './attempt.js';
import type { CallCache } from './cache.js';
import { callKey } from './call-key.js';
import type { CallLog, CallSource } from './call-log.js';
import { scoreKey } from './call-log.js';
import { freshSeconds, isCacheable, isSafe, planCall, type Urgency } from './plan.js';
import { type Candidate, type Resolved, resolveTool } from './resolve.js';
import { emptyRoute, type Route, type Routes } from './routes.js';

export interface CallRequest {
  tool: string;
  args: JsonObject;
  urgency?: Urgency | undefined;
  agentId?: string | undefined;
  timeoutMs?: number | undefined;
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
  attempts: Attempt[];
  isStale?: boolean;
  ageSeconds?: number;
}

export interface CallerNeeds {
  pools: ReadonlyMap<string, Pool>;
  natives: readonly NativeTool[];
  preferences: ToolPreferences;
  routes: Routes;
  cache: CallCache;
  calls: CallLog;
  tryCandidate: TryCandidate;
}

/** No call blocks longer than clients wait, and the answer has still to be brought there. */
const longestMs = 45_000;
const usualServerMs = 30_000;
const usualStaleSeconds = 3_600;

/** Tries on one server of what was lost or never sent; of what may be slow or ill everywhere, fewer. */
const mostTries = 5;
const mostSlowTries = 2;

/** Calls a tool and does not rest until somebody has answered, as long as asking again can do no harm. */
export function createCaller(needs: CallerNeeds) {
  const { cache, calls, routes, tryCandidate } = needs;

  return async (request: CallRequest): Promise<CallOutcome> => {
    const deadline = performance.now() + Math.min(request.timeoutMs ?? longestMs, longestMs);
    const agent = (request.agentId === undefined ? undefined : needs.preferences[request.agentId]) ?? {};
    const urgency = request.urgency ?? 'medium';
    const rules = await routes.all();
    const liked = [rules.get(request.tool)?.prefer, ...(agent.servers ?? [])].filter((name) => name !== undefined);
    const resolved = await resolveTool(request.tool, { ...needs, liked, timeoutMs: deadline - performance.now() });
    const route = rules.get(resolved.name) ?? rules.get(resolved.bare) ?? emptyRoute(resolved.name);
    const attempts: Attempt[] = [];

    const fresh = freshSeconds(resolved, route);
    if (fresh > 0) {
      const found = await fromCache(resolved, request, fresh, attempts);
      if (found) return found;
    }

    const suitsNative = resolved.native?.input.safeParse(request.args).success ?? false;
    const scores = await calls.scores();
    const { pools } = needs;
    const candidates = await planCall({
      resolved,
      route,
      urgency,
      agent,
      pools,
      scores,
      suitsNative: suitsNative || !resolved.primary,
    });
    const ended = await askInTurn(candidates, { request, route, urgency, deadline, attempts, scores });

    if ('answered' in ended) {
      const { candidate, attempt, answer } = ended.answered;
      if (!answer.isError && isCacheable(candidate, resolved, route)) {
        cache.keep(callKey(resolved.name, request.args), resolved.name, answer);
      }
      return { tool: candidate.name, result: answer, source: attempt.source, instance: attempt.instance, attempts };
    }
    const maxStale = request.maxStaleSeconds ?? usualStaleSeconds;
    // A call that the servers themselves refuse as wrong is not made right by an older answer.
    const isWrong = ended.failures.length > 0 && ended.failures.every(({ kind }) => kind === 'wrong_call');
    const stale = maxStale > 0 && !isWrong ? await fromCache(resolved, request, maxStale, attempts) : undefined;
    if (stale) return { ...stale, isStale: true };
    if (ended.said) return { ...ended.said, tool: resolved.name, attempts };
    calls.note({ tool: resolved.name, source: 'none', instance: '', outcome: 'failed', ms: 0 });
    throw noAnswer(resolved, ended.failures, attempts, maxStale);
  };

  async function fromCache(
    resolved: Resolved,
    { args }: CallRequest,
    maxAgeSeconds: number,
    attempts: Attempt[],
  ): Promise<CallOutcome | undefined> {
    const startedAt = performance.now();
    const found = await cache.find(callKey(resolved.name, args), maxAgeSeconds * 1_000);
    if (!found) return undefined;
    const attempt: Attempt = { source: 'cache', instance: 'cache', ms: Math.round(performance.now() - startedAt) };
    attempts.push(attempt);
    calls.note({ tool: resolved.name, outcome: 'ok', ...attempt });
    const { source, instance } = attempt;
    return {
      tool: resolved.name,
      result: found.answer,
      source,
      instance,
      attempts,
      ageSeconds: Math.round(found.ageMs / 1_000),
    };
  }

  interface Turn {
    request: CallRequest;
    route: Route;
    urgency: Urgency;
    deadline: number;
    attempts: Attempt[];
    scores: Awaited<ReturnType<CallLog['scores']>>;
  }

  type Answered = Tried & { answer: ToolAnswer };
  type Ended =
    | { answered: Answered }
    /** `said`: what a server answered that was not a result, for want of anything better. */
    | { failures: CallFailure[]; said: Pick<CallOutcome, 'result' | 'source' | 'instance'> | undefined };

  /** Throws when going on could do harm, and when the caller has gone. */
  async function askInTurn(candidates: readonly Candidate[], turn: Turn): Promise<Ended> {
    const failures: CallFailure[] = [];
    let refusal: Answered | undefined;
    let said: Tried | undefined;
    for (const [index, candidate] of candidates.entries()) {
      const avoid = new Set<Connection>();
      const next = candidates[index + 1];
      for (let tries = 1; tries <= mostTries; tries++) {
        const left = turn.deadline - performance.now();
        if (left < 1) break;
        const tried = await askOnce(candidate, next, { ...turn, avoid, left, isFirst: turn.attempts.length === 0 });
        const last = tried.at(-1);
        turn.attempts.push(...tried.map(({ attempt }) => attempt));
        const answered = tried.find(isAnswered);
        if (answered && !answered.answer.isError) return { answered };
        if (answered) {
          // The tool has spoken. Another server may know better, but only asking it must not do anything twice.
          refusal ??= answered;
          if (!isSafe(candidate, turn.route)) return { answered };
          break;
        }
        const failure = last?.failure;
        if (!last || !failure) break;
        if (failure.kind === 'cancelled')
          throw new RuntimeError('cancelled', `The call of ${candidate.name} was cancelled.`);
        failures.push(failure);
        if (failure.detail !== undefined && sayings.has(failure.kind)) said ??= last;
        if (failure.certainty !== 'not_carried_out' && !isSafe(last.candidate, turn.route)) {
          if (failure.kind === 'server_error') return { failures, said: saidBy(last) };
          throw uncertain(last, failure);
        }
        // A web server closes kept-alive connections when it likes: the next request has one of its own.
        if (failure.kind === 'lost') for (const tried of avoid) if (tried.isOpen()) avoid.delete(tried);
        if (candidate.source === 'native' || !candidate.pool.canTry(avoid)) break;
        if (!isWorthAnother(failure.kind, tries)) break;
      }
    }
    if (refusal) return { answered: refusal };
    return { failures, said: said && saidBy(said) };
  }

  /** One try, or with high urgency two that overlap: who is late is overtaken by another instance or the next source. */
  async function askOnce(
    candidate: Candidate,
    next: Candidate | undefined,
    turn: Turn & { avoid: Set<Connection>; left: number; isFirst: boolean },
  ): Promise<Tried[]> {
    const { request, avoid, left } = turn;
    const hasOther = next !== undefined || (candidate.source !== 'native' && candidate.pool.size() > 1);
    const mayFollow = hasOther && isSafe(candidate, turn.route);
    const own = candidate.source === 'native' ? usualServerMs : (candidate.pool.settings.timeout ?? usualServerMs);
    // What may be followed by another try leaves it half of the time.
    const timeoutMs = Math.max(1, Math.round(Math.min(own, mayFollow ? left / 2 : left)));
    const ask = (whom: Candidate, tried: Set<Connection>, signal: AbortSignal) =>
      tryCandidate(whom, { args: request.args, timeoutMs, signal, avoid: tried, onProgress: request.onProgress });

    const other = candidate.source !== 'native' && candidate.pool.size() > 1 ? candidate : next;
    const isHedged = turn.urgency === 'high' && turn.isFirst && isSafe(candidate, turn.route);
    if (!isHedged || !other || !isSafe(other, turn.route)) return [await ask(candidate, avoid, request.signal)];
    const score = turn.scores.get(
      scoreKey(candidate.name, candidate.source === 'native' ? 'native' : candidate.pool.server),
    );
    return hedge(
      (signal) => ask(candidate, avoid, signal),
      (signal) => ask(other, avoid, signal),
      patienceFor(score?.latencyMs),
      request.signal,
    );
  }
}

/** Three times what it usually takes. */
function patienceFor(latencyMs: number | undefined): number {
  return latencyMs === undefined || !Number.isFinite(latencyMs) ? 300 : Math.min(2_000, Math.max(20, 3 * latencyMs));
}

type Start = (signal: AbortSignal) => Promise<Tried>;

/** Dean and Barroso, "The Tail at Scale": a second request when the first is late, and the slower of them cancelled. */
async function hedge(one: Start, other: Start, delayMs: number, caller: AbortSignal): Promise<Tried[]> {
  const ends = [new AbortController(), new AbortController()] as const;
  const first = one(AbortSignal.any([caller, ends[0].signal]));
  const timer = new AbortController();
  const early = await Promise.race([first, sleep(delayMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
  if (early) return [early];
  const second = other(AbortSignal.any([caller, ends[1].signal]));
  const [quicker, slowerEnd] = await Promise.race([
    first.then((tried) => [tried, ends[1]] as const),
    second.then((tried) => [tried, ends[0]] as const),
  ]);
  if (isAnswered(quicker) && !quicker.answer.isError) {
    slowerEnd.abort();
    const [firstEnd, secondEnd] = await Promise.all([first, second]);
    const slower = quicker === firstEnd ? secondEnd : firstEnd;
    return [{ ...slower, attempt: { ...slower.attempt, error: slower.attempt.error ?? 'overtaken' } }, quicker];
  }
  return Promise.all([first, second]);
}

const isAnswered = (tried: Tried): tried is Tried & { answer: ToolAnswer } => tried.answer !== undefined;

/** Answers, if not results: passed on as the tool's own words when nobody has anything better. */
const sayings = new Set<CallFailureKind>(['wrong_call', 'server_error']);

function saidBy({ attempt, failure }: Tried): Pick<CallOutcome, 'result' | 'source' | 'instance'> {
  const text = failure?.detail ?? failure?.message ?? '';
  return {
    result: { content: [{ type: 'text', text }], isError: true },
    source: attempt.source,
    instance: attempt.instance,
  };
}

function isWorthAnother(kind: CallFailureKind, tries: number): boolean {
  if (kind === 'lost' || kind === 'not_sent') return tries < mostTries;
  return (kind === 'timeout' || kind === 'server_error' || kind === 'malformed') && tries < mostSlowTries;
}

function uncertain({ candidate, attempt }: Tried, failure: CallFailure): RuntimeError {
  const what = failure.certainty === 'carried_out' ? 'It was carried out.' : 'It may have been carried out.';
  return new RuntimeError(
    'unavailable',
    `${candidate.name} was sent to ${attempt.instance}, and then: ${failure.message}. ${what}`,
    'It was not tried again, as its server does not say that this is harmless. See what has come of it first; if it may be ' +
      'repeated, say so with set_tool_route {retry_safe: true}.',
    { cause: failure },
  );
}

function noAnswer(
  { name, native }: Resolved,
  failures: readonly CallFailure[],
  attempts: readonly Attempt[],
  maxStale: number,
): RuntimeError {
  const [only] = failures;
  // Of a tool that only this program has, its own error says best what to do.
  if (native && failures.length === 1 && only?.cause instanceof RuntimeError) return only.cause;
  const list = attempts.map(
    ({ source, instance, ms, error }) => `${source} ${instance}: ${error} (${Math.round(ms)} ms)`,
  );
  const cached =
    maxStale > 0 ? `cache: nothing from the last ${maxStale} s` : 'cache: not wanted (max_stale_seconds 0)';
  const code = failures.length > 0 && failures.every(({ kind }) => kind === 'timeout') ? 'timeout' : 'unavailable';
  return new RuntimeError(
    code,
    `Nobody answered ${name}. ${[...list, cached].join('; ')}.`,
    'Call list_tool_servers to see what is wrong; set_tool_route names backups.',
  );
}
