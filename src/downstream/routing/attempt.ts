import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import { timeoutSignal } from '../../base/timeout-signal.js';
import type { FailureType } from '../../core/breakers/machine.js';
import { CallFailure, type CallFailureKind } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { BreakerGate } from '../pool/breaker-gate.js';
import type { CallMetrics, CallSource } from './call-metrics.js';
import { sourceName } from './plan.js';
import type { Candidate } from './resolve.js';

/** One attempt at one source, as its caller sees it. */
export interface Attempt {
  source: CallSource;
  instance: string;
  ms: number;
  /** Why there was no good answer, in our words. */
  error?: string;
}

/** How an attempt ended: with an `answer`, or with a `failure`. */
export interface Tried {
  candidate: Candidate;
  attempt: Attempt;
  answer?: ToolAnswer;
  failure?: CallFailure;
}

export type Answered = Tried & { answer: ToolAnswer };

export const isAnswered = (tried: Tried): tried is Answered => tried.answer !== undefined;

export interface TryOptions {
  args: JsonObject;
  timeoutMs: number;
  signal: AbortSignal;
  /** Connections that this call was tried on. The attempt adds its own. */
  avoid: Set<Connection>;
  onProgress?: ((message: string) => void) | undefined;
}

export interface AttemptNeeds {
  gate: BreakerGate;
  metrics: CallMetrics;
  runNative(tool: NativeTool, args: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

/** Asks one candidate once, behind its tool's breaker, and records the outcome. Never rejects for a failed call. */
export async function tryCandidate(needs: AttemptNeeds, candidate: Candidate, options: TryOptions): Promise<Tried> {
  const startedAt = performance.now();
  const attempt: Attempt = { source: candidate.source, instance: sourceName(candidate), ms: 0 };
  const tried: Tried = { candidate, attempt };
  try {
    tried.answer = await askBehindBreaker(needs, candidate, attempt, options);
    if (tried.answer.isError) attempt.error = 'its tool reported an error';
  } catch (error) {
    tried.failure = error instanceof CallFailure ? error : new CallFailure('malformed', 'it failed', { cause: error });
    attempt.error = tried.failure.message;
  }
  attempt.ms = Math.round((performance.now() - startedAt) * 100) / 100;
  if (tried.failure?.kind !== 'cancelled') {
    const outcome = tried.failure ? 'failed' : tried.answer?.isError ? 'error' : 'ok';
    needs.metrics.record({ tool: candidate.name, outcome, ...attempt });
  }
  return tried;
}

async function askBehindBreaker(
  { gate, runNative }: AttemptNeeds,
  candidate: Candidate,
  attempt: Attempt,
  options: TryOptions,
): Promise<ToolAnswer> {
  const breaker = `tool:${candidate.source === 'native' ? 'native.' : ''}${candidate.name}`;
  const permit = await gate.admit(breaker, options.timeoutMs);
  if (!permit) throw new CallFailure('circuit_open', 'the circuit breaker of this tool is open');
  try {
    const answer = await (candidate.source === 'native'
      ? askNative(runNative, candidate.tool, options)
      : candidate.pool.call({
          ...options,
          tool: candidate.tool.name,
          onChosen(instance, connection) {
            attempt.instance = instance;
            options.avoid.add(connection);
          },
        }));
    await gate.succeeded(breaker, permit);
    return answer;
  } catch (error) {
    const type = toolFaults[error instanceof CallFailure ? error.kind : 'malformed'];
    if (type) await gate.failed(breaker, permit, { type, message: messageOf(error) });
    else await gate.release(permit);
    throw error;
  }
}

async function askNative(
  runNative: AttemptNeeds['runNative'],
  tool: NativeTool,
  { args, timeoutMs, signal }: TryOptions,
): Promise<ToolAnswer> {
  const timeout = timeoutSignal(timeoutMs);
  try {
    return { structuredContent: await runNative(tool, args, AbortSignal.any([signal, timeout])) };
  } catch (error) {
    if (signal.aborted) throw new CallFailure('cancelled', 'cancelled by its caller', { cause: error });
    if (timeout.aborted) throw new CallFailure('timeout', `no answer within ${timeoutMs} ms`, { cause: error });
    if (!(error instanceof RuntimeError)) throw error;
    throw new CallFailure(nativeKinds[error.code] ?? 'server_error', error.message, { cause: error });
  }
}

/** Failures that count against the tool's breaker. The others, such as a lost process, say nothing about the tool. */
const toolFaults: Readonly<Partial<Record<CallFailureKind, FailureType>>> = {
  timeout: 'timeout',
  server_error: 'exception',
  malformed: 'invalid_output',
};

const nativeKinds: Readonly<Partial<Record<RuntimeError['code'], CallFailureKind>>> = {
  invalid: 'wrong_call',
  not_found: 'wrong_call',
  not_configured: 'rejected',
  rate_limited: 'rate_limited',
  timeout: 'timeout',
  cancelled: 'cancelled',
};

export interface Hedged {
  one(signal: AbortSignal): Promise<Tried>;
  /** Undefined if there turns out to be nobody else who may be asked. */
  other(signal: AbortSignal): Promise<Tried | undefined>;
  delayMs: number;
  caller: AbortSignal;
}

/**
 * A hedged request (Dean and Barroso, "The Tail at Scale"): starts `other` if `one` has not ended after `delayMs`, and
 * cancels the slower one as soon as the other has a good answer. Resolves to the attempts made, a good answer last.
 */
export async function hedge({ one, other, delayMs, caller }: Hedged): Promise<Tried[]> {
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
  const isGood = quicker !== undefined && isAnswered(quicker) && !quicker.answer.isError;
  if (isGood) slowerEnd.abort();
  const tried = (await Promise.all([first, second])).filter((each) => each !== undefined);
  if (!isGood) return tried;
  return [...tried.filter((each) => each !== quicker).map(overtaken), quicker];
}

/** Our own end of an attempt is not its caller's. */
function overtaken(tried: Tried): Tried {
  const { kind } = tried.failure ?? {};
  const error = kind === undefined || kind === 'cancelled' ? 'overtaken' : tried.attempt.error;
  return { ...tried, attempt: { ...tried.attempt, error: error ?? 'overtaken' } };
}

/** How long a first attempt may take before it is hedged: three times its usual latency, within bounds. */
export function hedgeDelayMs(latencyMs: number | undefined): number {
  return latencyMs === undefined || !Number.isFinite(latencyMs) ? 300 : Math.min(2_000, Math.max(20, 3 * latencyMs));
}
