import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Access } from '../core/access/access.js';
import { browserLifeMs } from '../core/access/browser-sessions.js';
import { ownerPass, type Pass } from '../core/access/pass.js';
import { isSame, isSecretOf, partsOf } from '../core/access/secret.js';
import { type BrowserLogin, loginMs } from './issuers/browser-login.js';
import type { IssuerBrowsers } from './issuers/issuer-browsers.js';
import type { Issuers } from './issuers/issuers.js';
import { originOf, wayIn } from './issuers/resource-metadata.js';
import { leavingPage, type SignInForm, signInPage } from './sign-in-page.js';

export interface SignInNeeds {
  access: Access;
  /** Whose access tokens let in too. */
  issuers: Issuers;
  /** The browsers that such a token has let in. */
  issuerBrowsers: IssuerBrowsers;
  /** How people log in at an issuer. */
  login: BrowserLogin;
  /** The owner's own token. */
  ownerToken: string;
  /** The server itself offers no writes. */
  isReadOnly: boolean;
  /** There is a page for people, so people are asked in a page who they are. */
  hasPage: boolean;
  /** The port that the server listens on, once it does. */
  port(): number;
}

/** Where the page that asks who somebody is sends the answer. */
const signInPath = '/sign-in';

/** Where people are sent to an issuer, by its name, and where it sends them back. */
const issuerPath = `${signInPath}/with/`;
const callbackPath = `${signInPath}/callback`;

/**
 * Answers a browser that is about to be let in: with a code in its address, the form of the page, or by an issuer.
 * Undefined for any other request; `problem` is why a code lets nobody in.
 */
export async function signIn(
  context: Context,
  options: SignInNeeds,
): Promise<Response | { problem: string; to: string } | undefined> {
  const { method, path } = context.req;
  if (options.hasPage && method === 'GET' && path === callbackPath) return takeAnswer(context, options);
  if (options.hasPage && method === 'GET' && path.startsWith(issuerPath)) return sendToIssuer(context, options);
  const code = codeOf(context);
  if (code !== undefined) return signInByCode(context, code, options);
  return options.hasPage && method === 'POST' && path === signInPath ? signInByForm(context, options) : undefined;
}

/** The code of an address such as `/?code=...`, as it is given to a person once. */
function codeOf(context: Context): string | undefined {
  if (context.req.method !== 'GET' || context.req.path.startsWith('/api/') || context.req.path === '/mcp')
    return undefined;
  return context.req.query('code');
}

/** Begins a session for the browser, and opens the same address without the code. */
async function signInByCode(context: Context, code: string, options: SignInNeeds) {
  const url = new URL(context.req.url);
  url.searchParams.delete('code');
  const to = `${url.pathname}${url.search}`;
  const session = await options.access.signIn(code, options.ownerToken);
  if (session === undefined) return { problem: 'This address has been used, or is too old.', to };
  return open(context, session, to, options);
}

/** In bytes: a token, and the address that is opened then. */
const longestForm = 16_384;

/** Begins a session for the browser of a person who has typed a token, a code, or an address with one. */
async function signInByForm(context: Context, options: SignInNeeds): Promise<Response> {
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
    return open(context, issuerBrowsers.begin(verdict), to ?? '/', options);
  }
  const code = isSecretOf('code', secret) ? secret : await codeForToken(secret, options);
  const session = code === undefined ? undefined : await access.signIn(code, ownerToken);
  if (session !== undefined) return open(context, session, to ?? '/', options);
  const problem = 'This is no token that is good here, and no code that can still be used.';
  return askInPage(context, { to: to ?? '/', problem }, options);
}

async function codeForToken(token: string, { access, ownerToken, isReadOnly }: SignInNeeds) {
  const pass = isSame(token, ownerToken) ? ownerPass : await access.verify(token);
  return pass && access.createCode({ ...pass, isReadOnly: pass.isReadOnly || isReadOnly });
}

/** Whether a token can only be one of an issuer, as it has not the form of this server's own. */
export function isOfOthers(token: string, { issuers, ownerToken }: SignInNeeds): boolean {
  return issuers.all.length > 0 && partsOf(token) === undefined && !isSame(token, ownerToken);
}

export async function verifyIssued(token: string, { issuers }: SignInNeeds) {
  const verdict = await issuers.verify(token);
  return 'refusal' in verdict ? verdict : verdict.pass;
}

/** Sends the browser to an issuer, which sends it back with a code. */
async function sendToIssuer(context: Context, options: SignInNeeds): Promise<Response> {
  const to = context.req.query('to') ?? '/';
  const name = context.req.path.slice(issuerPath.length);
  const redirectUri = `${originOf(context)}${callbackPath}`;
  const begun = await options.login.begin(name, { to, redirectUri });
  if (begun === undefined || typeof begun === 'string') {
    const problem = begun ?? `Nobody logs in with ${JSON.stringify(name)} here.`;
    return askInPage(context, { to, problem }, options);
  }
  setCookie(context, loginCookie(options.port()), begun.browser, {
    ...cookieRules(context),
    // The issuer is another site, and its answer is to come with it.
    sameSite: 'Lax',
    path: signInPath,
    maxAge: loginMs / 1_000,
  });
  return context.redirect(begun.address.href, 303);
}

/** Lets in the browser that an issuer has sent back. */
async function takeAnswer(context: Context, options: SignInNeeds): Promise<Response> {
  const { login, issuerBrowsers, port } = options;
  const name = loginCookie(port());
  const outcome = await login.finish(new URL(context.req.url).searchParams, getCookie(context, name));
  deleteCookie(context, name, { path: signInPath });
  if ('problem' in outcome) return askInPage(context, outcome, options);
  keepSession(context, issuerBrowsers.begin(outcome.pass, outcome.renew), options);
  // A redirect would still be one that another site has begun, with which the cookie is not sent.
  const { html, policy } = leavingPage(withinPage(outcome.to));
  context.header('Content-Security-Policy', policy);
  return context.html(html);
}

/** Lets the browser in, and opens what it had asked for. */
function open(context: Context, session: string, to: string, options: SignInNeeds): Response {
  keepSession(context, session, options);
  return context.redirect(withinPage(to), 303);
}

function keepSession(context: Context, session: string, { port }: SignInNeeds): void {
  setCookie(context, cookieName(port()), session, {
    ...cookieRules(context),
    sameSite: 'Strict',
    path: '/',
    maxAge: browserLifeMs / 1_000,
  });
}

const cookieRules = (context: Context) => ({
  httpOnly: true,
  secure: originOf(context).startsWith('https:'),
});

/** An address of the page, as browsers read it: they drop tabs, and take two slashes or backslashes for another host. */
function withinPage(to: string): string {
  const { pathname, search } = new URL(to.replaceAll(/[\t\r\n]/g, '').replace(/^[/\\]*/, '/'), 'http://page');
  return `/${pathname.replace(/^\/+/, '')}${search}`;
}

/** Ends the session of the browser that asks, which forgets its cookie. Resolves to whether there was one. */
export async function signOut(
  context: Context,
  { browserId, name, issued }: Pass,
  { access, issuerBrowsers, port }: SignInNeeds,
): Promise<boolean> {
  deleteCookie(context, cookieName(port()));
  if (browserId === undefined) return false;
  if (issued) issuerBrowsers.end(browserId);
  else await access.revoke(browserId, { holder: name, project: '' });
  return true;
}

/** Cookies do not tell ports apart: each server has a name of its own, and the value is good for nothing but this. */
export const cookieName = (port: number): string => `agent_runtime_${port}`;
const loginCookie = (port: number): string => `${cookieName(port)}_login`;

/** Asks a person who they are. */
export function askInPage(context: Context, form: SignInForm, { issuers, login }: SignInNeeds): Response {
  const names = login.offered.map(({ name }) => name);
  const { html, policy } = signInPage(
    form,
    names.map((name) => ({ name, path: `${issuerPath}${name}` })),
  );
  context.header('WWW-Authenticate', wayIn(context, issuers));
  // A form that is sent without a referrer does not say of which page it is.
  context.header('Referrer-Policy', 'same-origin');
  context.header('Content-Security-Policy', policy);
  return context.html(html, 401);
}
