import http from 'node:http';
import https from 'node:https';
import { retryAfterMs } from '../base/backoff.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import { isNetworkTimeout, systemCode } from '../base/network-error.js';
import type { AddressRule } from '../base/public-address.js';
import { timeoutSignal } from '../base/timeout-signal.js';
import { version } from '../base/version.js';
import { type SignedMessage, signatureHeaders } from './sign.js';

/** What a receiver has said to a message. */
export interface Answer {
  /** Whether it has taken it: a status from 200 to 299. */
  isTaken: boolean;
  /** It wants no more (410). */
  isGone: boolean;
  /** Undefined when no answer came. */
  status: number | undefined;
  /** Why it was not taken, in words. */
  error: string | null;
  /** How long it asks to be left alone. */
  retryAfterMs: number | undefined;
}

export interface SendNeeds {
  url: string;
  secrets: readonly string[];
  rule: AddressRule;
  signal: AbortSignal;
}

/** For connection, request and answer together. */
const timeoutMs = 20_000;
const mostAnswerBytes = 65_536;

/**
 * Sends a message to a webhook. Redirects are not followed, and what is said beyond the head of the answer is dropped. Rejects only
 * when the signal aborts.
 */
export async function sendWebhook(message: SignedMessage, needs: SendNeeds): Promise<Answer> {
  const timeout = timeoutSignal(timeoutMs);
  try {
    const { status, headers } = await post(message, needs, AbortSignal.any([needs.signal, timeout]));
    const isTaken = status >= 200 && status < 300;
    const isRedirect = status >= 300 && status < 400;
    return {
      isTaken,
      isGone: status === 410,
      status,
      error: isTaken ? null : `it answered ${status}${isRedirect ? ', and redirects are not followed' : ''}`,
      retryAfterMs: retryAfterMs(headers),
    };
  } catch (error) {
    if (needs.signal.aborted) throw error;
    const isLate = timeout.aborted || isNetworkTimeout(error);
    const said = isLate ? `it did not answer within ${timeoutMs / 1000} s` : reasonOf(error);
    return { isTaken: false, isGone: false, status: undefined, error: said, retryAfterMs: undefined };
  }
}

/** Throws RuntimeError `invalid` for an address to which no webhook is sent. */
export function requireWebhookUrl(text: string, rule: AddressRule): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const wrong = (what: string, hint: string) => new RuntimeError('invalid', what, hint);
  if (!url || !/^https?:$/.test(url.protocol))
    throw wrong(
      `${JSON.stringify(text)} is not the address of a webhook.`,
      'Give one such as https://example.com/hook.',
    );
  if (url.username !== '' || url.password !== '')
    throw wrong('The address has a name and a password in it.', 'Leave them out: receivers check the signature.');
  rule.requireHost(url);
  if (url.protocol === 'http:' && !rule.isNamed(url)) {
    throw wrong(
      `${url.origin} is not encrypted.`,
      'Use https, or name the host in webhooks.allowPrivate of the config file.',
    );
  }
  return url;
}

function reasonOf(error: unknown): string {
  if (error instanceof RuntimeError) return error.message;
  return `the connection failed (${systemCode(error) ?? messageOf(error)})`;
}

function post(message: SignedMessage, { url: text, secrets, rule }: SendNeeds, signal: AbortSignal) {
  const url = requireWebhookUrl(text, rule);
  const body = Buffer.from(message.body);
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    'user-agent': `agent-runtime/${version}`,
    ...signatureHeaders(message, secrets),
  };
  return new Promise<{ status: number; headers: Headers }>((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    // A connection of its own: one that is kept would go on to an address that was good before.
    const sent = request(url, { method: 'POST', headers, agent: false, signal, lookup: rule.lookup(url) }, (answer) => {
      const retryAfter = answer.headers['retry-after'];
      resolve({
        status: answer.statusCode ?? 0,
        headers: new Headers(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      });
      // A receiver may be troubled by one who hangs up on it, so a short answer is heard to its end.
      let bytes = 0;
      answer.on('error', () => {});
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > mostAnswerBytes) answer.destroy();
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
