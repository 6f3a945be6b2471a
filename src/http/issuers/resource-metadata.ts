import type { Context } from 'hono';
import type { Issuers } from './issuers.js';
import { challenge, type Refusal } from './refusal.js';

const wellKnown = '/.well-known/oauth-protected-resource';

/** The addresses that are resources of their own, besides the whole server. */
const resources: readonly string[] = ['/mcp'];

/**
 * Where a client finds the issuers (RFC 9728), at `/.well-known/oauth-protected-resource` for the whole server and with
 * `/mcp` behind it for that. Undefined for any other address.
 */
export function resourceMetadata(context: Context, { all, scopes }: Issuers): Response | undefined {
  const { method, path } = context.req;
  const resource = path.slice(wellKnown.length);
  if (!path.startsWith(wellKnown) || !['', ...resources].includes(resource)) return undefined;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  return context.json({
    resource: `${originOf(context)}${resource}`,
    authorization_servers: all.map(({ url }) => url),
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
    resource_name: 'Agent Runtime',
  });
}

/** What an answer without the rights says of how to get them; `Bearer` alone where there are no issuers. */
export function wayIn(context: Context, issuers: Issuers | undefined, refusal?: Refusal): string {
  if (!issuers || issuers.all.length === 0) return 'Bearer';
  const resource = resources.includes(context.req.path) ? context.req.path : '';
  return challenge({ metadata: `${originOf(context)}${wellKnown}${resource}`, scopes: issuers.scopes }, refusal);
}

/** As the client addresses this server, whose name the guard has checked; a proxy that ends TLS says so. */
export function originOf(context: Context): string {
  const isSecure = context.req.header('x-forwarded-proto')?.split(',')[0]?.trim() === 'https';
  return `${isSecure ? 'https' : 'http'}://${context.req.header('host')}`;
}
