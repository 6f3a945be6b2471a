import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { type Access, isSame } from '../core/access/access.js';
import { errorResponse } from './failure.js';

/** Who a request comes from. */
export interface Visitor {
  name: string;
  isReadOnly: boolean;
}

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
}

export type Env = { Variables: { visitor: Visitor } };

const cookieName = 'agent_runtime';
const cookieSeconds = 30 * 86_400;

/**
 * Refuses a request that is addressed to another name (DNS rebinding), that another site's page has made, or that does
 * not say who it comes from. A token comes as `Authorization: Bearer`, as a cookie, or once in the page's address.
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

    const entering = enteringWith(context);
    if (entering !== undefined) return enter(context, entering, options);
    const visitor = await visitorOf(context, options);
    if (!visitor) return unknownVisitor(context);
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

/** The token or code of an address such as `/?token=...`, as it is given to a person once. */
function enteringWith(context: Context): string | undefined {
  if (context.req.method !== 'GET' || context.req.path.startsWith('/api/') || context.req.path === '/mcp')
    return undefined;
  return context.req.query('token') ?? context.req.query('code');
}

/** Exchanges it for a cookie and opens the same address without it, so that it stays in no history. */
async function enter(context: Context, secret: string, options: GuardOptions): Promise<Response> {
  const cookie = await cookieFor(secret, options);
  if (cookie === undefined) {
    return refuse(context, 'This address has been used or is too old.', 'Run `agent-runtime dashboard` for a new one.');
  }
  setCookie(context, cookieName, cookie, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: cookieSeconds,
    secure: new URL(context.req.url).protocol === 'https:',
  });
  const url = new URL(context.req.url);
  url.searchParams.delete('token');
  url.searchParams.delete('code');
  return context.redirect(`${url.pathname}${url.search}`, 303);
}

/** A token stands for itself; a code is good once, and lets the owner in. */
async function cookieFor(secret: string, { access, ownerToken }: GuardOptions): Promise<string | undefined> {
  if (isSame(secret, ownerToken) || (await access.verify(secret))) return secret;
  return (await access.redeem(secret)) ? ownerToken : undefined;
}

async function visitorOf(
  context: Context,
  { access, ownerToken, needsToken }: GuardOptions,
): Promise<Visitor | undefined> {
  const bearer = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
  const cookie = getCookie(context, cookieName);
  const given = bearer ?? cookie;
  if (given !== undefined) {
    if (isSame(given, ownerToken)) return { name: 'owner', isReadOnly: false };
    const token = await access.verify(given);
    if (token) return token;
    if (bearer === undefined) deleteCookie(context, cookieName);
    else return undefined;
  }
  return needsToken ? undefined : { name: 'anyone', isReadOnly: false };
}

function unknownVisitor(context: Context): Response | Promise<Response> {
  const message = context.req.header('authorization') ? 'This token is not, or no longer, good.' : 'Who are you?';
  return refuse(
    context,
    message,
    'Programs send `Authorization: Bearer TOKEN` (`agent-runtime token create`); people open the address that `agent-runtime dashboard` prints.',
  );
}

function refuse(context: Context, message: string, hint: string): Response | Promise<Response> {
  context.header('WWW-Authenticate', 'Bearer');
  return context.json({ error: { code: 'invalid', message, hint } }, 401);
}

/** The name in a Host header, without port; brackets of an IPv6 address stay. */
function hostOf(header: string | undefined): string | undefined {
  const url = `http://${header}`;
  if (header === undefined || header === '' || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.toLowerCase();
}
