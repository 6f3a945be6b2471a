import { RuntimeError } from '../../base/errors.js';
import type { CallFailure, CallFailureKind } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import {
  type Answered,
  type Attempt,
  type AttemptNeeds,
  hedge,
  hedgeDelayMs,
  isAnswered,
  type Tried,
  type TryOptions,
  tryCandidate,
} from './attempt.js';
import { type CallSource, type Scores, scoreKey } from './call-metrics.js';
import { isSafe, sourceName, type Urgency } from './plan.js';
import type { Candidate } from './resolve.js';
import type { Route } from './routes.js';

/** One call on its way through its candidates. */
export interface Turn {
  request: Pick<TryOptions, 'args' | 'signal' | 'onProgress'>;
  /** On the clock of `performance.now()`. */
  deadline: number;
  urgency: Urgency;
  route: Route;
  scores: Scores;
  /** Every attempt is added here. */
  attempts: Attempt[];
}

/** An error in a server's own words, as a result. */
export interface ReportedError {
  result: ToolAnswer;
  source: CallSource;
  instance: string;
}

/** An answer, which may be an error result of the tool; or the failures, with an error that a server reported. */
export type Ended = { answered: Answered } | { failures: CallFailure[]; reported: ReportedError | undefined };

/** Attempts at one candidate after a lost or unsent call; fewer where every instance may be slow or broken alike. */
const mostTries = 5;
const mostSlowTries = 2;

/** One attempt may take this long unless the server's settings say otherwise. */
const usualServerMs = 30_000;

/**
 * Asks the candidates in order until one gives a result. A call that is not safe goes on only if it provably was not
 * carried out. Throws RuntimeError `cancelled`, and `unavailable` if the call may have been carried out.
 */
export function askInTurn(needs: AttemptNeeds, candidates: readonly Candidate[], turn: Turn): Promise<Ended> {
  return new Asking(needs, turn).ask(candidates);
}

class Asking {
  readonly #needs: AttemptNeeds;
  readonly #turn: Turn;
  readonly #failures: CallFailure[] = [];
  /** The first error result, used if no other candidate has a better answer. */
  #errorResult: Answered | undefined;
  /** The first failure with a server's own words, used if nothing else is left. */
  #reported: Tried | undefined;

  constructor(needs: AttemptNeeds, turn: Turn) {
    this.#needs = needs;
    this.#turn = turn;
  }

  async ask(candidates: readonly Candidate[]): Promise<Ended> {
    for (const [index, candidate] of candidates.entries()) {
      const ended = await this.#askCandidate(await this.#listed(candidate), candidates[index + 1]);
      if (ended) return ended;
    }
    if (this.#errorResult) return { answered: this.#errorResult };
    return { failures: this.#failures, reported: this.#reported && reportedBy(this.#reported) };
  }

  /** The candidate with its tool as its server lists it, which has to be started for the call anyway. */
  async #listed(candidate: Candidate): Promise<Candidate> {
    if (candidate.source === 'native' || candidate.isListed) return candidate;
    const timeoutMs = Math.max(1, this.#turn.deadline - performance.now());
    // A server that does not start says so when it is called, a tool that it has not likewise.
    const list = await candidate.pool.tools({ isFresh: false, timeoutMs }).catch(() => undefined);
    const tool = list?.tools.find(({ name }) => name === candidate.tool.name);
    return tool ? { ...candidate, tool, isListed: true } : candidate;
  }

  /** Undefined when the next candidate should be asked. */
  async #askCandidate(candidate: Candidate, next: Candidate | undefined): Promise<Ended | undefined> {
    const avoid = new Set<Connection>();
    for (let tries = 1; tries <= mostTries; tries++) {
      const left = this.#turn.deadline - performance.now();
      if (left < 1) return undefined;
      const tried = await this.#askOnce(candidate, next, avoid, left);
      this.#turn.attempts.push(...tried.map(({ attempt }) => attempt));
      const answered = tried.find(isAnswered);
      if (answered) return this.#answered(candidate, answered);
      const last = tried.at(-1);
      if (!last?.failure) return undefined;
      const ended = this.#failed(last, last.failure);
      if (ended) return ended;
      // A web server may close kept-alive connections at any time: the next request opens a new one.
      if (last.failure.kind === 'lost') for (const used of avoid) if (used.isOpen()) avoid.delete(used);
      if (candidate.source === 'native' || !candidate.pool.canTry(avoid)) return undefined;
      if (!isWorthRetry(last.failure.kind, tries)) return undefined;
    }
    return undefined;
  }

  /** An error result goes to the next candidate only if asking another one cannot do anything twice. */
  #answered(candidate: Candidate, answered: Answered): Ended | undefined {
    if (!answered.answer.isError || !isSafe(candidate, this.#turn.route)) return { answered };
    this.#errorResult ??= answered;
    return undefined;
  }

  #failed(tried: Tried, failure: CallFailure): Ended | undefined {
    const { candidate } = tried;
    if (failure.kind === 'cancelled') {
      throw new RuntimeError('cancelled', `The call of ${candidate.name} was cancelled.`);
    }
    this.#failures.push(failure);
    if (failure.detail !== undefined && isReport(failure.kind)) this.#reported ??= tried;
    if (failure.certainty === 'not_carried_out' || isSafe(candidate, this.#turn.route)) return undefined;
    if (failure.kind === 'server_error') return { failures: this.#failures, reported: reportedBy(tried) };
    throw uncertain(tried, failure);
  }

  /** One attempt; or two that overlap, if the call is urgent, safe, and there is another instance or candidate. */
  async #askOnce(
    candidate: Candidate,
    next: Candidate | undefined,
    avoid: Set<Connection>,
    left: number,
  ): Promise<Tried[]> {
    const { request, route, urgency, attempts, scores } = this.#turn;
    const other = candidate.source !== 'native' && candidate.pool.size > 1 ? candidate : next;
    const isSafeCall = isSafe(candidate, route);
    const own = candidate.source === 'native' ? usualServerMs : (candidate.pool.settings.timeout ?? usualServerMs);
    // An attempt that another one may follow leaves it half of the time.
    const timeoutMs = Math.max(1, Math.round(Math.min(own, other && isSafeCall ? left / 2 : left)));
    const { args, onProgress } = request;
    const ask = (whom: Candidate, signal: AbortSignal) =>
      tryCandidate(this.#needs, whom, { args, onProgress, timeoutMs, signal, avoid });

    const isHedged = urgency === 'high' && attempts.length === 0 && isSafeCall;
    if (!isHedged || !other || !(isSafe(other, route) || isUnlisted(other))) {
      return [await ask(candidate, request.signal)];
    }
    const known = this.#listed(other);
    const score = scores.get(scoreKey(candidate.name, sourceName(candidate)));
    return hedge({
      one: (signal) => ask(candidate, signal),
      async other(signal) {
        const whom = await known;
        return isSafe(whom, route) ? ask(whom, signal) : undefined;
      },
      delayMs: hedgeDelayMs(score?.latencyMs),
      caller: request.signal,
    });
  }
}

function isUnlisted(candidate: Candidate): boolean {
  return candidate.source !== 'native' && !candidate.isListed;
}

/** Failures in which a server reported an error of its own. */
function isReport(kind: CallFailureKind): boolean {
  return kind === 'wrong_call' || kind === 'server_error';
}

/** Whether another instance, or the same one started again, may answer what this one did not. */
export function isWorthRetry(kind: CallFailureKind, tries: number): boolean {
  if (kind === 'lost' || kind === 'not_sent') return tries < mostTries;
  return (kind === 'timeout' || kind === 'server_error' || kind === 'malformed') && tries < mostSlowTries;
}

function reportedBy({ attempt, failure }: Tried): ReportedError {
  const text = failure?.detail ?? failure?.message ?? '';
  const { source, instance } = attempt;
  return { result: { content: [{ type: 'text', text }], isError: true }, source, instance };
}

function uncertain({ candidate, attempt }: Tried, failure: CallFailure): RuntimeError {
  const what = failure.certainty === 'carried_out' ? 'It was carried out.' : 'It may have been carried out.';
  return new RuntimeError(
    'unavailable',
    `${candidate.name} was sent to ${attempt.instance}, and then: ${failure.message}. ${what}`,
    'It was not repeated, because its server does not declare that safe. Check its effect first. If it may be repeated, ' +
      'set set_tool_route {retry_safe: true}.',
    { cause: failure },
  );
}
