import { retryAfterMs } from '../../base/backoff.js';
import { CallFailure } from './call-failure.js';

/** The code of the error for a message over the limit. */
export const bodyTooLarge = 'BODY_TOO_LARGE';

/**
 * `fetch` that stops reading an answer as soon as one of its messages is over the limit, and follows no redirect, which
 * would carry arguments and keys to a host that the config file does not name.
 */
export function limitedFetch(limitBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    if (response.status === 429) throw await toldToWait(response);
    if (!response.body) return response;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const body = response.body.pipeThrough(limiter(limitBytes, isStream));
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  };
}

/** A refusal of a server that has had too many requests, with the time after which it takes more, if it says so. */
async function toldToWait(response: Response): Promise<CallFailure> {
  await response.body?.cancel();
  const waitMs = retryAfterMs(response.headers);
  const when = waitMs === undefined ? '' : `, and takes the next in ${Math.ceil(waitMs / 1_000)} s`;
  return new CallFailure('rate_limited', `it has had too many requests (HTTP 429)${when}`, { waitMs });
}

/** Counts the bytes of a body. An event stream may go on for days, so there the count starts anew at each line end. */
function limiter(limitBytes: number, isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(piece, controller) {
      const lineEnd = isStream ? piece.lastIndexOf(10) : -1;
      size = lineEnd === -1 ? size + piece.length : piece.length - lineEnd - 1;
      if (size > limitBytes) controller.error(Object.assign(new Error('too large'), { code: bodyTooLarge }));
      else controller.enqueue(piece);
    },
  });
}
