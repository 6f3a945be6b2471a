import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Access } from '../core/access/access.js';
import { browserLifeMs } from '../core/access/browser-sessions.js';
import { anyonePass, ownerPass, type Pass } from '../core/access/pass.js';
import { isSame, isSecretOf, partsOf } from '../core/access/secret.js';
import { errorResponse } from './failure.js';
import type { IssuerBrowsers } from './issuers/issuer-browsers.js';
import type { Issuers } from './issuers/issuers.js';
import type { Refusal } from './issuers/refusal.js';
import { resourceMetadata, wayIn } from './issuers/resource-metadata.js';
import { leastGapMs } from './issuers/signing-keys.js';
import { type SignInForm, signInPage } from './sign-in-page.js';
import type { AcceptSocket } from './web-sockets.js';

/** Who a request comes from. */
export type Visitor = Pass;

export interface GuardOptions {
  access: Access;
  /** Whose access tokens let in too. */
  issuers: Issuers;
  /** The browsers that such a token has let in. */
  issuerBrowsers: IssuerBrowsers;
  /** The owner's own token. */
  ownerToken: string;
  /** Whether a request must say who it comes from; only a server on loopback may go without. */
  needsToken: boolean;
  /** Names under which the server may be addressed, without port. */
  hosts: ReadonlySet<string>;
  /** The server itself offers no writes. */
  isReadOnly: boolean;
  /** There is a page for people, so people are asked in a page who they are. */
  hasPage: boolean;
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
    const metadata = options.issuers.all.length > 0 && resourceMetadata(context, options.issuers);
    if (metadata) return metadata;
    if (context.req.query('token') !== undefined) {
      return refuse(context, 'A token does not belong in an address, which histories and logs keep.', options, '/');
    }
    if (getCookie(context, formerCookieName) !== undefined) deleteCookie(context, formerCookieName);

    const code = codeOf(context);
    if (code !== undefined) return signInByCode(context, code, options);
    if (options.hasPage && context.req.method === 'POST' && context.req.path === signInPath)
      return signInByForm(context, options);
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

/** The code of an address such as `/?code=...`, as it is given to a person once. */
function codeOf(context: Context): string | undefined {
  if (context.req.method !== 'GET' || context.req.path.startsWith('/api/') || context.req.path === '/mcp')
    return undefined;
  return context.req.query('code');
}

/** Begins a session for the browser, and opens the same address without the code. */
async function signInByCode(context: Context, code: string, options: GuardOptions): Promise<Response> {
  const url = new URL(context.req.url);
  url.searchParams.delete('code');
  const to = `${url.pathname}${url.search}`;
  const session = await options.access.signIn(code, options.ownerToken);
  if (session === undefined) return refuse(context, 'This address has been used, or is too old.', options, to);
  return begin(context, session, to, options);
}

/** Where the page that asks who somebody is sends the answer. */
const signInPath = '/sign-in';

/** In bytes: a token, and the address that is opened then. */
const longestForm = 16_384;

/** Begins a session for the browser of a person who has typed a token, a code, or an address with one. */
async function signInByForm(context: Context, options: GuardOptions): Promise<Response> {
  const { access, ownerToken, issuerBrowsers } = options;
  // Nobody is known yet, so no more is read than a form has. A body without a length could be of any.
  const length = Number(context.req.header('content-length') ?? Infinity);
  const form = length <= longestForm ? await context.req.parseBody() : {};
  const [given, to] = [form.secret, form.to].map((value) => (typeof value === 'string' ? value.trim() : ''));
  const secret = /[?&]code=([\w-]+)/.exec(given ?? '')?.[1] ?? given ?? '';
  if (isOfOthers(secret, options)) {
    const verdict = await verifyIssued(secret, options);
    if ('refusal' in verdict) {
      const { message, hint } = verdict.refusal;
      return askInPage(context, { to: to ?? '/', problem: `${message} ${hint}` }, options);
    }
    return begin(context, issuerBrowsers.begin(verdict), to ?? '/', options);
  }
  const code = isSecretOf('code', secret) ? secret : await codeForToken(secret, options);
  const session = code === undefined ? undefined : await access.signIn(code, ownerToken);
  if (session !== undefined) return begin(context, session, to ?? '/', options);
  const problem = 'This is no token that is good here, and no code that can still be used.';
  return askInPage(context, { to: to ?? '/', problem }, options);
}

/** Whether a token can only be one of an issuer, as it has not the form of this server's own. */
function isOfOthers(token: string, { issuers, ownerToken }: GuardOptions): boolean {
  return issuers.all.length > 0 && partsOf(token) === undefined && !isSame(token, ownerToken);
}

async function verifyIssued(token: string, { issuers }: GuardOptions) {
  const verdict = await issuers.verify(token);
  return 'refusal' in verdict ? verdict : verdict.pass;
}

async function codeForToken(token: string, { access, ownerToken, isReadOnly }: GuardOptions) {
  const pass = isSame(token, ownerToken) ? ownerPass : await access.verify(token);
  return pass && access.createCode({ ...pass, isReadOnly: pass.isReadOnly || isReadOnly });
}

/** Lets the browser in, and opens what it had asked for. */
function begin(context: Context, session: string, to: string, { port }: GuardOptions): Response {
  setCookie(context, cookieName(port()), session, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: browserLifeMs / 1000,
    secure: new URL(context.req.url).protocol === 'https:',
  });
  return context.redirect(withinPage(to), 303);
}

/** An address of the page, as browsers read it: they drop tabs, and take two slashes or backslashes for another host. */
function withinPage(to: string): string {
  const { pathname, search } = new URL(to.replaceAll(/[\t\r\n]/g, '').replace(/^[/\\]*/, '/'), 'http://page');
  return `/${pathname.replace(/^\/+/, '')}${search}`;
}

/** Ends the session of the browser that asks, which forgets its cookie. Resolves to whether there was one. */
export async function signOut(context: Context<Env>, { access, issuerBrowsers, port }: GuardOptions): Promise<boolean> {
  const { browserId, name, issued } = context.get('visitor');
  deleteCookie(context, cookieName(port()));
  if (browserId === undefined) return false;
  if (issued) issuerBrowsers.end(browserId);
  else await access.revoke(browserId, { holder: name, project: '' });
  return true;
}

/** Cookies do not tell ports apart: each server has a name of its own, and the value is good for nothing but this. */
const cookieName = (port: number): string => `agent_runtime_${port}`;

async function visitorOf(context: Context, options: GuardOptions): Promise<Visitor | { refusal: Refusal } | undefined> {
  const { access, issuerBrowsers, ownerToken, needsToken, port } = options;
  const bearer = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
  if (bearer !== undefined) {
    if (isOfOthers(bearer, options)) return verifyIssued(bearer, options);
    return isSame(bearer, ownerToken) ? ownerPass : access.verify(bearer);
  }
  const cookie = getCookie(context, cookieName(port()));
  if (cookie !== undefined) {
    const pass = issuerBrowsers.find(cookie) ?? (await access.verifyBrowser(cookie, ownerToken));
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

function askInPage(context: Context, form: SignInForm, { issuers }: GuardOptions): Response {
  const { html, policy } = signInPage(form);
  context.header('WWW-Authenticate', wayIn(context, issuers));
  // A form that is sent without a referrer does not say of which page it is.
  context.header('Referrer-Policy', 'same-origin');
  context.header('Content-Security-Policy', policy);
  return context.html(html, 401);
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
