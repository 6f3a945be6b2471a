import { retryAfterMs } from '../../base/backoff.js';
import { systemCode } from '../../base/network-error.js';
import { timeoutSignal } from '../../base/timeout-signal.js';
import { AgentError } from '../define-agent.js';

/** The optional price provider, from AGENT_RUNTIME_PRICES_URL. */
export interface PriceDownload {
  /**
   * With `{ticker}`, `{start}`, `{end}` (YYYY-MM-DD, the start early enough for the indicators to warm up) and
   * `{env:NAME}`, as in
   * `https://api.tiingo.com/tiingo/daily/{ticker}/prices?startDate={start}&endDate={end}&format=csv&token={env:TIINGO_TOKEN}`.
   */
  urlTemplate: string;
  /** Values for `{env:NAME}`. They never reach a message or a log. */
  env: Readonly<Record<string, string | undefined>>;
  /** Limit for the whole response, redirects included; 30,000 by default. */
  timeoutMs?: number;
}

export interface DownloadRequest {
  ticker: string;
  startDate: string;
  endDate: string;
  maxBytes: number;
  signal: AbortSignal;
}

export interface DownloadedPrices {
  bytes: Buffer;
  /** How errors name them: host and ticker, without the token that the URL may hold. */
  source: string;
}

/**
 * Fetches the CSV file of one ticker. The URL must be https, or http on this machine. Redirects are followed on the same
 * origin alone. A response of another content type than CSV or plain text is an error, whatever its status.
 *
 * @throws AgentError `PRICES_URL_INVALID` (the template), `PRICE_DOWNLOAD_FAILED` (status, type, size, network; transient
 *   for 429, 5xx, timeouts and network trouble). A cancelled signal throws its own reason.
 */
export async function downloadPrices(download: PriceDownload, request: DownloadRequest): Promise<DownloadedPrices> {
  const url = fillTemplate(download, request);
  const source = `the answer of ${url.host} for ${request.ticker}`;
  const timeoutMs = download.timeoutMs ?? 30_000;
  const timeout = timeoutSignal(timeoutMs);
  try {
    const response = await fetchOnOrigin(url, AbortSignal.any([request.signal, timeout]), source);
    const bytes = await readBody(response, request.maxBytes, source);
    // Some providers report an error with status 200 and quote the token, which must not reach a file or a message.
    if (secretsOf(download).some((secret) => bytes.includes(secret))) throw failed(source, 'it repeats a secret');
    return { bytes, source };
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof AgentError) throw error;
    if (timeout.aborted) throw failed(source, `it took more than ${timeoutMs} ms`, true, { cause: error });
    throw failed(source, `the connection failed (${systemCode(error) ?? 'broken off'})`, true, { cause: error });
  }
}

function fillTemplate({ urlTemplate, env }: PriceDownload, { ticker, startDate, endDate }: DownloadRequest): URL {
  // No placeholder and no credentials before the path: the host must be the config's.
  if (!/^https?:\/\/[^/?#{}@\\\s]+\//i.test(urlTemplate)) {
    throw invalidTemplate('it must start with https://HOST/, and HOST may hold no {placeholder} and no user name');
  }
  const values = new Map([
    ['ticker', ticker],
    ['start', startDate],
    ['end', endDate],
  ]);
  const filled = urlTemplate.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = /^env:(\w+)$/.exec(name)?.[1];
    const value = variable === undefined ? values.get(name) : readVariable(env, variable);
    if (value !== undefined && value !== '') return encodeURIComponent(value);
    if (variable !== undefined) throw invalidTemplate(`the environment variable ${variable} is not set`);
    throw invalidTemplate(`{${name}} is unknown; use {ticker}, {start}, {end} and {env:NAME}`);
  });
  // URL.canParse rather than catching: the error of `new URL` quotes its input, and that may hold a token.
  if (!URL.canParse(filled)) throw invalidTemplate('it is no valid URL');
  const url = new URL(filled);
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return url;
  throw invalidTemplate(`http is allowed on this machine only; ${url.host} needs https`);
}

function secretsOf({ urlTemplate, env }: PriceDownload): string[] {
  const names = [...urlTemplate.matchAll(/\{env:(\w+)\}/g)].map((match) => match[1] ?? '');
  return names.map((name) => readVariable(env, name) ?? '').filter((value) => value.length >= 8);
}

// Only own properties, because {env:constructor} names no variable.
function readVariable(env: PriceDownload['env'], name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

async function fetchOnOrigin(url: URL, signal: AbortSignal, source: string): Promise<Response> {
  let target = url;
  for (let redirects = 0; redirects <= 3; redirects++) {
    const response = await fetch(target.href, {
      signal,
      redirect: 'manual',
      headers: { accept: 'text/csv, text/plain' },
    });
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      const next = URL.canParse(location, target.href) ? new URL(location, target.href) : undefined;
      if (next?.origin !== url.origin || next.username !== '') {
        throw failed(source, `it redirects to ${next?.origin ?? 'no valid address'}, and other hosts are not followed`);
      }
      target = next;
      continue;
    }
    await refuseUnlessCsv(response, source);
    return response;
  }
  throw failed(source, 'it redirects more than 3 times');
}

const csvTypes = [
  '',
  'text/csv',
  'text/plain',
  'application/csv',
  'application/octet-stream',
  'application/vnd.ms-excel',
];

async function refuseUnlessCsv(response: Response, source: string): Promise<void> {
  const type = (response.headers.get('content-type') ?? '').split(';', 1).join('').trim().toLowerCase();
  if (response.status === 200 && csvTypes.includes(type)) return;
  await response.body?.cancel();
  if (response.status === 200) throw failed(source, `it is ${JSON.stringify(type.slice(0, 60))}, not CSV`);
  const isTransient = response.status === 429 || response.status >= 500;
  throw failed(source, `its status is ${response.status}`, isTransient, {
    retryAfterMs: retryAfterMs(response.headers),
  });
}

async function readBody(response: Response, maxBytes: number, source: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // A throw out of the loop cancels the body and closes the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw failed(source, `it has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function invalidTemplate(reason: string): AgentError {
  return new AgentError('PRICES_URL_INVALID', `AGENT_RUNTIME_PRICES_URL cannot be used: ${reason}.`);
}

function failed(
  source: string,
  reason: string,
  isTransient = false,
  more: { cause?: unknown; retryAfterMs?: number | undefined } = {},
): AgentError {
  const message = `Prices were not downloaded: ${source} was refused because ${reason}.`;
  return new AgentError('PRICE_DOWNLOAD_FAILED', message, isTransient, more);
}
