import { SSEClientTransport, SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallFailure, notProtocol } from './call-failure.js';
import type { Launch } from './launch.js';

type HttpLaunch = Extract<Launch, { kind: 'http' }>;

/** The SDK's transport for Streamable HTTP, or for the older one with server-sent events. */
export function createHttpTransport(
  { url, headers, isSse }: HttpLaunch,
  fetch: typeof globalThis.fetch,
): StreamableHTTPClientTransport | SSEClientTransport {
  const options = { requestInit: { headers: { ...headers } }, fetch };
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
