import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie } from 'hono/cookie';
import { anyonePass, ownerPass, type Pass } from '../core/access/pass.js';
import { isSame, isSecretOf } from '../core/access/secret.js';
import { errorResponse } from './failure.js';
import type { Refusal } from './issuers/refusal.js';
import { resourceMetadata, wayIn } from './issuers/resource-metadata.js';
import { leastGapMs } from './issuers/signing-keys.js';
import { askInPage, cookieName, isOfOthers, type SignInNeeds, signIn, verifyIssued } from './sign-in.js';
import type { AcceptSocket } from './web-sockets.js';

/** Who a request comes from. */
export type Visitor = Pass;

export interface GuardOptions extends SignInNeeds {
  /** Whether a request must say who it comes from; only a server on loopback may go without. */
  needsToken: boolean;
  /** Names under which the server may be addressed, without port. */
  hosts: ReadonlySet<string>;
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
    const metadata = options.issuers.all.length > 0 && resourceMetadata(context, options.issuers);
    if (metadata) return metadata;
    if (context.req.query('token') !== undefined) {
      return refuse(context, 'A token does not belong in an address, which histories and logs keep.', options, '/');
    }
    if (getCookie(context, formerCookieName) !== undefined) deleteCookie(context, formerCookieName);

    const signedIn = await signIn(context, options);
    if (signedIn instanceof Response) return signedIn;
    if (signedIn) return refuse(context, signedIn.problem, options, signedIn.to);
    const visitor = await visitorOf(context, options);
    if (!visitor) return unknownVisitor(context, options);
    if ('refusal' in visitor) return refuseToken(context, visitor.refusal, options);
    context.set('visitor', { ...visitor, isReadOnly: visitor.isReadOnly || options.isReadOnly });
    await next();
    if (visitor.issued && context.res.status === 403) {
      const refusal = { status: 403, message: 'This changes things, and the token may only read.', hint: '' } as const;
      context.res.headers.set('WWW-Authenticate', wayIn(context, options.issuers, refusal));
    }
  };
}

/** The refusal of an issuer's token, by name. */
function refuseToken(context: Context, refusal: Refusal, { issuers }: GuardOptions): Response {
  const { status, message, hint } = refusal;
  if (status === 503) context.header('Retry-After', String(leastGapMs / 1_000));
  else context.header('WWW-Authenticate', wayIn(context, issuers, refusal));
  return context.json({ error: { code: status === 503 ? 'unavailable' : 'invalid', message, hint } }, status);
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

async function visitorOf(context: Context, options: GuardOptions): Promise<Visitor | { refusal: Refusal } | undefined> {
  const { access, issuerBrowsers, ownerToken, needsToken, port } = options;
  const bearer = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
  if (bearer !== undefined) {
    if (isOfOthers(bearer, options)) return verifyIssued(bearer, options);
    return isSame(bearer, ownerToken) ? ownerPass : access.verify(bearer);
  }
  const cookie = getCookie(context, cookieName(port()));
  if (cookie !== undefined) {
    const pass = (await issuerBrowsers.find(cookie)) ?? (await access.verifyBrowser(cookie, ownerToken));
    if (pass) return pass;
    // A session that has ended is good for nothing, and lets the page say that it was one; anything else goes.
    if (!isSecretOf('browser', cookie)) deleteCookie(context, cookieName(port()));
  }
  return needsToken ? undefined : anyonePass;
}

function unknownVisitor(context: Context, options: GuardOptions): Response {
  if (context.req.header('authorization')) return refuse(context, 'This token is not, or no longer, good.', options);
  const wasSignedIn = getCookie(context, cookieName(options.port())) !== undefined;
  return refuse(context, wasSignedIn ? 'This browser is no longer signed in.' : 'Who are you?', options);
}

/** Whether a person has opened an address of the page, who can make nothing of JSON. */
function isPerson(context: Context, { hasPage }: GuardOptions): boolean {
  const { method, path } = context.req;
  const isOfPrograms = path.startsWith('/api/') || path === '/mcp' || path === '/ws' || path === '/metrics';
  return hasPage && method === 'GET' && !isOfPrograms && /\btext\/html\b/.test(context.req.header('accept') ?? '');
}

const ways =
  'People open the address that `agent-runtime dashboard` prints, or `agent-runtime tool dashboard_url` for a running ' +
  'one; it opens once. Programs send `Authorization: Bearer TOKEN` (`agent-runtime token create`), and POST ' +
  '/api/tools/dashboard_url gives them such an address.';

function refuse(context: Context, message: string, options: GuardOptions, to?: string): Response {
  const { path, url } = context.req;
  if (isPerson(context, options)) {
    const isNew = message === 'Who are you?';
    return askInPage(
      context,
      { to: to ?? `${path}${new URL(url).search}`, ...(isNew ? {} : { problem: message }) },
      options,
    );
  }
  context.header('WWW-Authenticate', wayIn(context, options.issuers));
  return context.json({ error: { code: 'invalid', message, hint: ways } }, 401);
}

/** The name in a Host header, without port; brackets of an IPv6 address stay. */
function hostOf(header: string | undefined): string | undefined {
  const url = `http://${header}`;
  if (header === undefined || header === '' || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.toLowerCase();
}
