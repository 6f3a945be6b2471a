import { ModelError, type ModelParams, type ModelUsage } from '../core/ports.js';

/** More than any model writes in one answer; for calls without `max_tokens`. */
const usualMaxTokens = 200_000;

/** A token of any language or program has fewer bytes than this on the whole. */
const bytesPerToken = 16;
const spareBytes = 1_000_000;

/** What vendors send for a token: the event around it, with names, ids and counts. */
const wireBytesPerToken = 1_024;
const spareWireBytes = 16_000_000;
/** Readers keep a line in memory until its end. */
const longestLineBytes = 8_000_000;

export interface AnswerLimit {
  /** UTF-8 bytes of text. */
  textBytes: number;
  /** Bytes of the body, all that is not text included. */
  wireBytes: number;
  /** Bytes of the body between two line ends. */
  lineBytes: number;
}

/** What an answer may have. A vendor that goes on beyond it does not keep to `max_tokens` and may never end. */
export function answerLimit({ max_tokens: tokens = usualMaxTokens }: ModelParams): AnswerLimit {
  const textBytes = tokens * bytesPerToken + spareBytes;
  const wireBytes = tokens * wireBytesPerToken + spareWireBytes;
  return { textBytes, wireBytes, lineBytes: Math.max(textBytes, longestLineBytes) };
}

/** The error for an answer beyond its limit. It is transient: another call may end as it should. */
export function endlessAnswer(
  vendor: string,
  model: string,
  bytes: number,
  usage?: ModelUsage | undefined,
): ModelError {
  const message =
    `${vendor} did not end its answer: ${model} was cut after ${(bytes / 1e6).toFixed(1)} MB, more than max_tokens ` +
    'allows. Try again, or use another model.';
  return new ModelError('invalid_output', message, { usage });
}

/** Counts the bytes of a body as they come; the function tells whether they are still within the limit. */
export function countWire({ wireBytes, lineBytes }: AnswerLimit): (piece: Uint8Array) => boolean {
  let all = 0;
  let line = 0;
  return (piece) => {
    const lineEnd = piece.lastIndexOf(10);
    all += piece.length;
    line = lineEnd === -1 ? line + piece.length : piece.length - lineEnd - 1;
    return all <= wireBytes && line <= lineBytes;
  };
}
