import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Access } from '../core/access/access.js';
import { browserLifeMs } from '../core/access/browser-sessions.js';
import { anyonePass, ownerPass, type Pass } from '../core/access/pass.js';
import { isSame, isSecretOf } from '../core/access/secret.js';
import { errorResponse } from './failure.js';
import type { AcceptSocket } from './web-sockets.js';

/** Who a request comes from. */
export type Visitor = Pass;

export interface GuardOptions {
  access: Access;
  /** The owner's own token. */
  ownerToken: string;
  /** Whether a request must say who it comes from; only a server on loopback may go without. */
  needsToken: boolean;
  /** Names under which the server may be addressed, without port. */
  hosts: ReadonlySet<string>;
  /** The server itself offers no writes. */
  isReadOnly: boolean;
  /** The port that the server listens on, once it does. */
  port(): number;
}

export interface Env {
  Variables: { visitor: Visitor };
  /** With a request for a WebSocket. */
  Bindings: { accept?: AcceptSocket };
}

/** Earlier versions kept the token itself in it, and browsers send a cookie of 127.0.0.1 to every port. */
const formerCookieName = 'agent_runtime';

/**
 * Refuses a request that is addressed to another name (DNS rebinding), that another site's page has made, or that does
 * not say who it comes from: by a token as `Authorization: Bearer`, or by the cookie of a browser that a code has let in.
 */
export function guard(options: GuardOptions): MiddlewareHandler<Env> {
  return async (context, next) => {
    const host = hostOf(context.req.header('host'));
    if (host === undefined || !options.hosts.has(host)) {
      return errorResponse(403, {
        code: 'invalid',
        message: `This server does not answer to the name ${JSON.stringify(context.req.header('host') ?? '')}.`,
        hint: 'Use its own address, or start it with --allow-host NAME.',
      });
    }
    if (isFromElsewhere(context)) {
      return errorResponse(403, {
        code: 'invalid',
        message: 'Pages of other sites may not call this server.',
        hint: 'Open its own page, or call it from a program without an Origin header.',
      });
    }
    if (context.req.path === '/api/health') return next();
    if (context.req.query('token') !== undefined) {
      return refuse(context, 'A token does not belong in an address, which histories and logs keep.');
    }
    if (getCookie(context, formerCookieName) !== undefined) deleteCookie(context, formerCookieName);

    const code = codeOf(context);
    if (code !== undefined) return signIn(context, code, options);
    const visitor = await visitorOf(context, options);
    if (!visitor) return unknownVisitor(context, options);
    context.set('visitor', { ...visitor, isReadOnly: visitor.isReadOnly || options.isReadOnly });
    return next();
  };
}

/** Safe reads are harmless from elsewhere, because their answer cannot be read there; everything else is refused. */
function isFromElsewhere(context: Context): boolean {
  const site = context.req.header('sec-fetch-site');
  const origin = context.req.header('origin');
  const isOpening = context.req.method === 'GET' && context.req.header('sec-fetch-mode') === 'navigate';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isOpening) return true;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== context.req.header('host');
}

/** The code of an address such as `/?code=...`, as it is given to a person once. */
function codeOf(context: Context): string | undefined {
  if (context.req.method !== 'GET' || context.req.path.startsWith('/api/') || context.req.path === '/mcp')
    return undefined;
  return context.req.query('code');
}

/** Begins a session for the browser, and opens the same address without the code. */
async function signIn(context: Context, code: string, { access, ownerToken, port }: GuardOptions): Promise<Response> {
  const session = await access.signIn(code, ownerToken);
  if (session === undefined) return refuse(context, 'This address has been used, or is too old.');
  setCookie(context, cookieName(port()), session, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: browserLifeMs / 1000,
    secure: new URL(context.req.url).protocol === 'https:',
  });
  const url = new URL(context.req.url);
  url.searchParams.delete('code');
  // A path that begins with two slashes would name another host.
  return context.redirect(`/${url.pathname.replace(/^\/+/, '')}${url.search}`, 303);
}

/** Cookies do not tell ports apart: each server has a name of its own, and the value is good for nothing but this. */
const cookieName = (port: number): string => `agent_runtime_${port}`;

async function visitorOf(
  context: Context,
  { access, ownerToken, needsToken, port }: GuardOptions,
): Promise<Visitor | undefined> {
  const bearer = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
  if (bearer !== undefined) return isSame(bearer, ownerToken) ? ownerPass : access.verify(bearer);
  const cookie = getCookie(context, cookieName(port()));
  if (cookie !== undefined) {
    const pass = await access.verifyBrowser(cookie, ownerToken);
    if (pass) return pass;
    // A session that has ended is good for nothing, and lets the page say that it was one; anything else goes.
    if (!isSecretOf('browser', cookie)) deleteCookie(context, cookieName(port()));
  }
  return needsToken ? undefined : anyonePass;
}

function unknownVisitor(context: Context, { port }: GuardOptions): Response {
  if (context.req.header('authorization')) return refuse(context, 'This token is not, or no longer, good.');
  const wasSignedIn = getCookie(context, cookieName(port())) !== undefined;
  return refuse(context, wasSignedIn ? 'This browser is no longer signed in.' : 'Who are you?');
}

const ways =
  'People open the address that `agent-runtime dashboard` prints, or `agent-runtime tool dashboard_url` for a running ' +
  'one; it opens once. Programs send `Authorization: Bearer TOKEN` (`agent-runtime token create`), and POST ' +
  '/api/tools/dashboard_url gives them such an address.';

function refuse(context: Context, message: string): Response {
  context.header('WWW-Authenticate', 'Bearer');
  return context.json({ error: { code: 'invalid', message, hint: ways } }, 401);
}

/** The name in a Host header, without port; brackets of an IPv6 address stay. */
function hostOf(header: string | undefined): string | undefined {
  const url = `http://${header}`;
  if (header === undefined || header === '' || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.toLowerCase();
}
