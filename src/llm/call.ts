import { type ModelAnswer, ModelError, type ModelRequest, type ModelUsage } from '../core/ports.js';

/** One call to a vendor, as its file sees it. */
export interface Call {
  /** Aborts when the caller cancels, when the vendor is silent for too long, and when the call is over. */
  readonly signal: AbortSignal;
  /** Hands a piece of the answer to the caller; what comes after the end of the call is dropped. */
  text(piece: string): void;
  /** The vendor showed a sign of life: its time to be silent starts anew. */
  alive(): void;
  /** Records the tokens spent as far as the vendor has said, for the case that the call fails. */
  spent(usage: ModelUsage): void;
  /** What was recorded last. */
  readonly usage: ModelUsage | undefined;
  /** The answer, with the text handed over so far. */
  answer(end: { model: string; stopReason: string; usage: ModelUsage; warnings: string[] }): ModelAnswer;
}

export interface CallLimits {
  /** The vendor's name in messages. */
  vendor: string;
  /** 300,000 ms by default; 0 for a provider that cannot show signs of life. */
  stallTimeoutMs?: number | undefined;
}

/**
 * Runs one call so that it always ends: `work` may hang, miss an abort, or end without a word when aborted (all three
 * happen in the SDKs), and the promise still rejects at once with `cancelled` or `timeout`.
 *
 * What `work` throws passes through. What the caller's own `onText` throws passes through as it is, too.
 */
export async function runCall(
  request: ModelRequest,
  limits: CallLimits,
  work: (call: Call) => Promise<ModelAnswer>,
): Promise<ModelAnswer> {
  const { vendor } = limits;
  if (request.signal.aborted) throw cancelledCall(vendor, undefined);

  const controller = new AbortController();
  let text = '';
  let usage: ModelUsage | undefined;
  let isOver = false;
  let callerFault: { error: unknown } | undefined;

  let interrupt: (error: ModelError) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (error) => {
      // Our own rejection goes first, so that it wins the race against what the vendor's SDK makes of the abort.
      reject(error);
      controller.abort();
    };
  });
  const onAbort = () => interrupt(cancelledCall(vendor, usage));
  request.signal.addEventListener('abort', onAbort, { once: true });
  const silence = startSilenceClock(limits, (limitMs) => interrupt(stalledCall(vendor, limitMs, usage)));

  const call: Call = {
    signal: controller.signal,
    text(piece) {
      if (isOver || piece === '') return;
      silence.restart();
      text += piece;
      try {
        request.onText(piece);
      } catch (error) {
        callerFault = { error };
        throw error;
      }
    },
    alive: silence.restart,
    spent(spentSoFar) {
      usage = spentSoFar;
    },
    get usage() {
      return usage;
    },
    answer: (end) => ({ text, ...end, warnings: [...end.warnings, ...stopWarnings(text, end.stopReason)] }),
  };

  try {
    return await Promise.race([work(call), interrupted]);
  } catch (error) {
    throw callerFault ? callerFault.error : error;
  } finally {
    isOver = true;
    silence.stop();
    request.signal.removeEventListener('abort', onAbort);
    // An answer that failed half-way must not keep its connection, and cost tokens, in the background.
    controller.abort();
  }
}

export function cancelledCall(vendor: string, usage: ModelUsage | undefined): ModelError {
  return new ModelError('cancelled', `The call to ${vendor} was cancelled.`, { usage });
}

/** A stream that ended before its end marker: what came so far is not an answer. Transient. */
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
  const timer = setTimeout(() => onStall(limitMs), limitMs);
  return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) };
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
