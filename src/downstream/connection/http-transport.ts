import { SSEClientTransport, SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { retryAfterMs } from '../../base/backoff.js';
import { CallFailure, notProtocol } from './call-failure.js';
import type { Launch } from './launch.js';
import { longestMessageBytes } from './stdio-transport.js';

/** The code of the error for a message over the limit. */
export const bodyTooLarge = 'BODY_TOO_LARGE';

type HttpLaunch = Extract<Launch, { kind: 'http' }>;

/** The SDK's transport for Streamable HTTP, or for the older one with server-sent events, with a limit on a message. */
export function createHttpTransport({
  url,
  headers,
  isSse,
}: HttpLaunch): StreamableHTTPClientTransport | SSEClientTransport {
  const options = { requestInit: { headers: { ...headers } }, fetch: limitedFetch(longestMessageBytes) };
  return isSse ? new SSEClientTransport(url, options) : new StreamableHTTPClientTransport(url, options);
}

/** Whether the stream that brings all answers has ended. The library opens another one, which is another session. */
export function isStreamLost(error: unknown): boolean {
  return error instanceof SseError;
}

/** Whether the server has forgotten the session (404; MCP spec 2025-11-25, Streamable HTTP). */
export function isSessionLost(error: unknown): boolean {
  return error instanceof StreamableHTTPError && error.code === 404;
}

/** The failure that an HTTP status stands for; undefined for an error without one. */
export function failureOfStatus(error: unknown, more: { detail: string; cause: unknown }): CallFailure | undefined {
  const status = statusOf(error);
  if (status === undefined) return undefined;
  if (isSessionLost(error)) return new CallFailure('not_sent', 'it had forgotten the session', more);
  if (status >= 500) return new CallFailure('server_error', `it answered with HTTP ${status}`, more);
  if (status >= 300) return new CallFailure('rejected', `it refused with HTTP ${status}`, more);
  return new CallFailure('malformed', notProtocol, more);
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof StreamableHTTPError || error instanceof SseError) return error.code ?? 0;
  // The transport with server-sent events throws a bare error for a message that was refused.
  const status =
    error instanceof Error ? /^Error POSTing to endpoint \(HTTP (\d+)\)/.exec(error.message)?.[1] : undefined;
  return status === undefined ? undefined : Number(status);
}

/**
 * `fetch` that stops reading an answer as soon as one of its messages is over the limit, and follows no redirect, which
 * would carry arguments and keys to a host that the config file does not name.
 */
function limitedFetch(limitBytes: number): typeof fetch {
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
