import {
  type ModelAnswer,
  ModelError,
  type ModelParams,
  type ModelRequest,
  type ModelUsage,
  type RateReport,
} from '../core/ports.js';
import { type AnswerLimit, answerLimit, countWire, endlessAnswer } from './answer-limit.js';
import { eventLines } from './event-lines.js';
import { readRateHeaders } from './rate-headers.js';

/** One call to a vendor, as the vendor's own file sees it. */
export interface Call {
  /** Aborts when the caller cancels, when the vendor is silent for too long, and when the call is over. */
  readonly signal: AbortSignal;
  /** Hands a piece of the answer to the caller. After the end of the call it does nothing; beyond the limit it ends it. */
  text(piece: string): void;
  /** What the answer may have. */
  readonly limit: AnswerLimit;
  /** Ends the call with `invalid_output`: the answer goes on beyond its limit. */
  overrun(bytes: number): ModelError;
  /** Restarts the clock that ends a silent call: the vendor has sent something. */
  alive(): void;
  /** Hands on what the vendor says of its limits. */
  rates(report: RateReport): void;
  /** Records the tokens spent so far, in case the call fails. */
  spent(usage: ModelUsage): void;
  /** What `spent` recorded last. */
  readonly usage: ModelUsage | undefined;
  /** The answer, with the text handed over so far. */
  answer(end: { model: string; stopReason: string; usage: ModelUsage; warnings: string[] }): ModelAnswer;
}

export interface CallLimits {
  /** The vendor's name in messages. */
  vendor: string;
  /** Milliseconds of silence after which the call fails; 300,000 by default, 0 for a provider that need not stream. */
  stallTimeoutMs?: number | undefined;
}

/**
 * Runs one call so that it always ends. The SDKs may hang, miss an abort, or return without an error when aborted; the
 * promise still rejects at once with `cancelled` or `timeout`.
 *
 * What `work` throws passes through unchanged, and so does what the caller's own `onText` throws.
 */
export async function runCall(
  request: ModelRequest,
  limits: CallLimits,
  work: (call: Call) => Promise<ModelAnswer>,
): Promise<ModelAnswer> {
  const { vendor } = limits;
  if (request.signal.aborted) throw cancelledCall(vendor, undefined);

  const controller = new AbortController();
  const limit = answerLimit(request.params);
  let text = '';
  let textBytes = 0;
  let usage: ModelUsage | undefined;
  let isOver = false;
  let callerError: { error: unknown } | undefined;

  let interrupt: (error: ModelError) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (error) => {
      // Reject before the abort, so that this error wins the race against the SDK's own abort error.
      reject(error);
      controller.abort();
    };
  });
  const onAbort = () => interrupt(cancelledCall(vendor, usage));
  request.signal.addEventListener('abort', onAbort, { once: true });
  const silence = startSilenceClock(limits, (limitMs) => interrupt(stalledCall(vendor, limitMs, usage)));

  const overrun = (bytes: number) => {
    const error = endlessAnswer(vendor, request.model, bytes, usage);
    interrupt(error);
    return error;
  };

  const call: Call = {
    signal: controller.signal,
    limit,
    overrun,
    text(piece) {
      if (isOver || piece === '') return;
      silence.restart();
      textBytes += Buffer.byteLength(piece);
      if (textBytes > limit.textBytes) throw overrun(textBytes);
      text += piece;
      try {
        request.onText(piece);
      } catch (error) {
        callerError = { error };
        throw error;
      }
    },
    alive: silence.restart,
    rates(report) {
      if (!isOver) request.onRates?.(report);
    },
    spent(spentSoFar) {
      usage = spentSoFar;
      if (!isOver) request.onUsage?.(spentSoFar);
    },
    get usage() {
      return usage;
    },
    answer: (end) => ({ text, ...end, warnings: [...end.warnings, ...stopWarnings(text, end.stopReason)] }),
  };

  try {
    const answer = await Promise.race([work(call), interrupted]);
    // A module of the user's may return another text than it has streamed.
    const bytes = Buffer.byteLength(answer.text);
    if (bytes > limit.textBytes) throw endlessAnswer(vendor, request.model, bytes, answer.usage);
    return answer;
  } catch (error) {
    throw callerError ? callerError.error : error;
  } finally {
    isOver = true;
    silence.stop();
    request.signal.removeEventListener('abort', onAbort);
    // A call that failed half-way must not keep its connection open and cost tokens in the background.
    controller.abort();
  }
}

export function cancelledCall(vendor: string, usage: ModelUsage | undefined): ModelError {
  return new ModelError('cancelled', `The call to ${vendor} was cancelled.`, { usage });
}

/** The error for a stream that ended before its end marker. It is transient. */
export function cutAnswer(
  vendor: string,
  model: string,
  more: { detail?: string | undefined; usage?: ModelUsage | undefined; cause?: unknown } = {},
): ModelError {
  const message = `${vendor} cut its answer short: the stream of ${model} broke off before its end. Try again.`;
  return new ModelError('invalid_output', message, more);
}

const defaultStallTimeoutMs = 300_000;

function startSilenceClock(limits: CallLimits, onStall: (limitMs: number) => void) {
  const limitMs = limits.stallTimeoutMs ?? defaultStallTimeoutMs;
  if (limitMs === 0) return { restart: () => {}, stop: () => {} };
  let stall: NodeJS.Immediate | undefined;
  // A process that was held up, or stopped for a while, reads what has come before it calls that silence.
  const timer = setTimeout(() => {
    stall = setImmediate(onStall, limitMs);
  }, limitMs);
  const stop = () => {
    clearTimeout(timer);
    clearImmediate(stall);
  };
  const restart = () => {
    clearImmediate(stall);
    timer.refresh();
  };
  return { restart, stop };
}

function stalledCall(vendor: string, limitMs: number, usage: ModelUsage | undefined): ModelError {
  const message = `${vendor} was silent for ${limitMs / 1000} s, so the call was ended. Try again, or use another model.`;
  return new ModelError('timeout', message, { usage });
}

function stopWarnings(text: string, stopReason: string): string[] {
  const warnings: string[] = [];
  if (stopReason === 'max_tokens') {
    warnings.push('The answer stops at the limit of tokens: raise max_tokens, or ask for less.');
  }
  if (text === '') warnings.push('The model ended its turn without any text.');
  return warnings;
}

/**
 * A `fetch` for one call. It aborts with the call and counts every byte of the body as a sign of life, because a vendor's
 * pings do not reach us through its SDK. It follows no redirect, which would carry prompt and key to an unknown host,
 * reads no body beyond the limit of the answer, and tells the caller what the headers say of the vendor's limits.
 */
export function callFetch(call: Call): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, signal: call.signal, redirect: 'manual' });
    call.alive();
    const rates = readRateHeaders(response.headers, response.status);
    if (rates) call.rates(rates);
    if (!response.body) return response;
    const isWithinLimit = countWire(call.limit);
    let bytes = 0;
    const watched = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          call.alive();
          bytes += chunk.length;
          if (isWithinLimit(chunk)) controller.enqueue(chunk);
          else controller.error(call.overrun(bytes));
        },
      }),
    );
    const isStream = response.headers.get('content-type')?.includes('text/event-stream');
    return new Response(isStream ? watched.pipeThrough(eventLines()) : watched, response);
  };
}

/** One warning for each parameter that is set and that `who` does not take. */
export function droppedParams(who: string, params: ModelParams, names: readonly (keyof ModelParams)[]): string[] {
  return names
    .filter((name) => params[name] !== undefined)
    .map((name) => `${who} does not take ${name}, so it was left out.`);
}

/** Only the fields that have a value: some vendors treat an explicit undefined as a value. */
export function defined<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };
}
