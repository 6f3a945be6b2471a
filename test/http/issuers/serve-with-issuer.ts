import type { Issuer } from '../../../src/base/issuer-settings.js';
import { withIssuer } from '../../../src/base/issuer-settings.js';
import type { HttpOptions } from '../../../src/http/http-server.js';
import { type OidcIssuer, type OidcIssuerOptions, startOidcIssuer } from '../../fixtures/servers/oidc-issuer.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { type Reply, type ServedRuntime, serve } from '../serve.js';

export interface ServedWithIssuer extends ServedRuntime {
  issuer: OidcIssuer;
  clock: MovingClock;
  /** A request with this token. */
  ask(token: string, path?: string, body?: object): Promise<Reply>;
}

export interface ServeWithIssuerOptions extends OidcIssuerOptions {
  /** Other settings of the issuer than the usual ones. */
  settings?: Partial<Issuer>;
  http?: Partial<HttpOptions>;
}

/** The issuer with the usual mapping, for the audience `runtime`. */
export function issuerAt(url: string, settings: Partial<Issuer> = {}): Issuer {
  const [issuer] = withIssuer([], { url, audience: 'runtime' }, { url: 'issuer', audience: 'audience' });
  if (!issuer) throw new Error('there is none');
  return { ...issuer, name: 'acme', ...settings };
}

/** A served runtime that takes the tokens of a local issuer, on a clock that moves when it is told to. */
export async function serveWithIssuer(options: ServeWithIssuerOptions = {}): Promise<ServedWithIssuer> {
  const clock = movingClock();
  const issuer = await startOidcIssuer({ now: clock.now, ...options });
  const issuers = [issuerAt(issuer.url, options.settings)];
  const served = await serve({ issuers, ...options.http }, { clock });
  return {
    ...served,
    issuer,
    clock,
    ask: (token, path = '/api/whoami', body) =>
      served.send(body ? 'POST' : 'GET', path, {
        headers: { authorization: `Bearer ${token}` },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
  };
}
