import { RuntimeError } from '../../base/errors.js';
import { systemCode } from '../../base/network-error.js';
import type { SettingName } from '../../base/settings.js';
import { interruption } from './interruption.js';

/** One request to a service on the web. */
export interface TextRequest {
  /** How the service is called in messages. */
  service: string;
  /** Where its address is set. */
  setting: SettingName;
  url: URL;
  headers: Record<string, string>;
  /** Sent as JSON by POST; without it the request is a GET. */
  body?: string;
}

export interface TextLimits {
  signal: AbortSignal;
  /** For the whole answer, redirects included. */
  timeoutMs: number;
  /** Of the answer's body, unpacked. */
  maxBytes: number;
}

export interface TextAnswer {
  status: number;
  headers: Headers;
  text: string;
}

const mostRedirects = 3;

/**
 * Fetches a text, whatever its status. Redirects are followed on the same host alone and never to plain http: they would
 * carry query and key to somebody whom nobody named. Messages hold the host, never the address.
 *
 * @throws RuntimeError `timeout`; `unavailable` (network, size, redirects, an answer that breaks off); `cancelled`.
 */
export async function fetchText(request: TextRequest, limits: TextLimits): Promise<TextAnswer> {
  const { service, url } = request;
  const { signal, timeoutMs } = limits;
  if (signal.aborted) throw interruption(signal);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await follow(request, AbortSignal.any([signal, timeout]));
    const text = await readBody(response, service, limits.maxBytes);
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    if (signal.aborted) throw interruption(signal);
    if (error instanceof RuntimeError) throw error;
    if (timeout.aborted) {
      throw new RuntimeError('timeout', `${service} did not answer within ${timeoutMs / 1000} s.`, 'Try again later.', {
        cause: error,
      });
    }
    const code = systemCode(error) ?? 'broken off';
    throw new RuntimeError(
      'unavailable',
      `The connection to ${service} at ${url.host} failed (${code}).`,
      `Check the network, and ${request.setting} if it is set; then try again.`,
      { cause: error },
    );
  }
}

async function follow(request: TextRequest, signal: AbortSignal): Promise<Response> {
  const { body } = request;
  const headers = body === undefined ? request.headers : { ...request.headers, 'content-type': 'application/json' };
  const init = {
    signal,
    headers,
    redirect: 'manual' as const,
    ...(body === undefined ? {} : { method: 'POST', body }),
  };
  let url = request.url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const response = await fetch(url, init);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    url = nextUrl(request, url, location);
  }
  throw misdirected(request, 'redirects without end');
}

function nextUrl(request: TextRequest, from: URL, location: string): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isAsSafe = next?.protocol === 'https:' || (next?.protocol === 'http:' && from.protocol === 'http:');
  // A POST that is redirected becomes a GET, or is sent twice.
  if (next?.host === from.host && isAsSafe && next.username === '' && request.body === undefined) return next;
  throw misdirected(request, `redirects to ${next ? next.origin : 'no valid address'}, which is not followed`);
}

function misdirected({ service, setting, url }: TextRequest, what: string): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `${service} at ${url.host} ${what}.`,
    `If you trust where it leads, set ${setting} to that.`,
  );
}

async function readBody(response: Response, service: string, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by a throw cancels the body and closes the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      throw new RuntimeError(
        'unavailable',
        `${service} answered with more than ${maxBytes.toLocaleString('en')} bytes; none of it was used.`,
        'Ask for fewer results.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
