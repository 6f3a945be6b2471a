import { RuntimeError } from '../../base/errors.js';
import type { NativeSettings } from '../../base/native-settings.js';
import { systemCode } from '../../base/network-error.js';
import type { SettingName } from '../../base/settings.js';
import { timeoutSignal } from '../../base/timeout-signal.js';
import { version } from '../../base/version.js';

/** One request to a web service. */
export interface TextRequest {
  /** The service's name in messages. */
  service: string;
  /** The setting that holds its address. */
  setting: SettingName;
  url: URL;
  headers: Record<string, string>;
  /** JSON, sent by POST. Without a body the request is a GET. */
  body?: string;
}

export interface TextLimits {
  signal: AbortSignal;
  /** For the whole answer, redirects included. */
  timeoutMs: number;
  /** Of the answer's body, decompressed. */
  maxBytes: number;
}

export interface TextAnswer {
  status: number;
  headers: Headers;
  text: string;
}

const mostRedirects = 3;

/**
 * Fetches a text, whatever its status. Redirects are followed only on the same host and never from https to plain http,
 * because they carry the query and the key. Messages name the host, never the whole address.
 *
 * @throws RuntimeError `timeout`; `unavailable` (network, size, redirects, an answer that breaks off); `cancelled`.
 */
export async function fetchText(request: TextRequest, limits: TextLimits): Promise<TextAnswer> {
  const { service, url } = request;
  const { signal, timeoutMs } = limits;
  if (signal.aborted) throw interruption(signal);
  const timeout = timeoutSignal(timeoutMs);
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
  throw badRedirect(request, 'redirects without end');
}

function nextUrl(request: TextRequest, from: URL, location: string): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isAsSafe = next?.protocol === 'https:' || (next?.protocol === 'http:' && from.protocol === 'http:');
  // A redirected POST becomes a GET or is sent twice, so it is not followed either.
  if (next?.host === from.host && isAsSafe && next.username === '' && request.body === undefined) return next;
  throw badRedirect(request, `redirects to ${next ? next.origin : 'no valid address'}, which is not followed`);
}

function badRedirect({ service, setting, url }: TextRequest, what: string): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `${service} at ${url.host} ${what}.`,
    `If you trust the new address, set ${setting} to it.`,
  );
}

async function readBody(response: Response, service: string, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // A throw inside the loop cancels the body and closes the connection.
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

/** The error for a call whose signal has aborted: the RuntimeError given as its reason, `timeout`, or `cancelled`. */
export function interruption({ reason }: AbortSignal): RuntimeError {
  if (reason instanceof RuntimeError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new RuntimeError('timeout', 'The time for the call ran out.', 'Try again with a longer timeout.', {
      cause: reason,
    });
  }
  return new RuntimeError('cancelled', 'The call was cancelled.', undefined, { cause: reason });
}

/** Names this program and a contact. Services answer 429 to the default user agents of HTTP libraries first. */
export function userAgent({ contact }: NativeSettings): string {
  const about = ['+https://www.npmjs.com/package/agent-runtime-mcp', ...(contact ? [`mailto:${contact}`] : [])];
  return `agent-runtime/${version} (${about.join('; ')})`;
}

/** Text from the web on one line, without control characters (a terminal would obey them), cut to `most` characters. */
export function plainText(text: string, most = Number.POSITIVE_INFINITY): string {
  const plain = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are removed here.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\s]+/g, ' ')
    .trim();
  return plain.length > most ? `${plain.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : plain;
}
