import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Issuer } from '../../base/issuer-settings.js';
import type { Log } from '../../base/log.js';
import type { IssuedPass } from '../../core/access/pass.js';
import { callerId, nameOf, rightsOf, whyNoAccessToken } from './read-claims.js';
import type { Refusal } from './refusal.js';
import { type Endpoints, KeysUnavailable, SigningKeys } from './signing-keys.js';

/** Only those by which the issuer alone can sign: with a shared secret, whoever can check a token can make one. */
export const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** How far the clocks of issuer and host may be apart. */
const leewaySeconds = 30;

export type Verdict = { pass: IssuedPass } | { refusal: Refusal };

export interface Issuers {
  /** What is configured. */
  readonly all: readonly Issuer[];
  /** Reads the keys, so that a log says at once if that fails. Does not wait for them. */
  start(): void;
  /** What an access token allows (RFC 9068), or why it allows nothing. */
  verify(token: string): Promise<Verdict>;
  /** Where an issuer lets people log in. Throws KeysUnavailable. */
  endpoints(issuer: Issuer): Promise<Endpoints>;
  /** Whether a token that was let in would still be: it has not ended, and its key has not been withdrawn. */
  isGood(pass: IssuedPass): Promise<boolean>;
  /** What a client asks an issuer for. */
  scopes: readonly string[];
  close(): void;
}

export interface IssuersNeeds {
  issuers: readonly Issuer[];
  clock: Clock;
  log: Log;
}

/** The issuers whose access tokens let callers in. */
export function createIssuers({ issuers, clock, log }: IssuersNeeds): Issuers {
  const trusted = new Map(
    issuers.map((issuer) => [issuer.url, { issuer, keys: new SigningKeys({ issuer, clock, log }) }]),
  );

  async function verify(token: string): Promise<Verdict> {
    const read = readToken(token);
    if ('refusal' in read) return read;
    const found = trusted.get(String(read.claims.iss));
    if (!found) return { refusal: unknownIssuer(read.claims.iss, issuers) };
    const { issuer, keys } = found;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys.find, {
        algorithms,
        issuer: issuer.url,
        audience: [...issuer.audiences],
        clockTolerance: leewaySeconds,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp'],
      });
      return passOf(protectedHeader, payload, issuer);
    } catch (error) {
      return { refusal: explain(error, read, issuer) };
    }
  }

  return {
    all: issuers,
    scopes: [...new Set(issuers.flatMap((issuer) => issuer.scopes))],
    verify,
    async endpoints({ url }) {
      const keys = trusted.get(url)?.keys;
      if (!keys) throw new KeysUnavailable('it is not configured');
      return keys.endpoints();
    },
    start() {
      for (const { keys } of trusted.values()) void keys.check().catch(() => {});
    },
    async isGood({ issued: { issuer, keyId, expiresAt } }) {
      const keys = trusted.get(issuer)?.keys;
      return keys !== undefined && clock.now() < expiresAt && (await keys.hasKey(keyId));
    },
    close() {
      for (const { keys } of trusted.values()) keys.close();
    },
  };
}

interface ReadToken {
  header: ProtectedHeaderParameters;
  claims: JWTPayload;
}

/** What a token says of itself, which nobody has checked yet. */
function readToken(token: string): ReadToken | { refusal: Refusal } {
  const parts = token.split('.').length;
  if (parts !== 3) {
    const what = parts === 5 ? 'is encrypted (JWE)' : 'is neither one of this server nor a JWT';
    return {
      refusal: refused(`This token ${what}.`, 'Have the issuer give signed JWT access tokens for this server.'),
    };
  }
  try {
    const [header, claims] = [decodeProtectedHeader(token), decodeJwt(token)];
    const { alg } = header;
    if (algorithms.includes(String(alg))) return { header, claims };
    const message = `This token is signed by ${JSON.stringify(alg)}, which is not accepted.`;
    return { refusal: refused(message, `Have the issuer sign by one of ${algorithms.join(', ')}.`) };
  } catch {
    return { refusal: refused('This token is a JWT that cannot be read.', 'Send it whole, as the issuer gave it.') };
  }
}

function passOf(header: ProtectedHeaderParameters, claims: JWTPayload, issuer: Issuer): Verdict {
  const { sub } = claims;
  if (typeof sub !== 'string' || sub === '') {
    return {
      refusal: refused('This token does not say whose it is (sub).', 'Send an access token as the issuer gave it.'),
    };
  }
  const why = whyNoAccessToken(header, claims);
  if (why !== undefined) {
    return { refusal: refused(why, 'Send the access token that the issuer gives for this server.') };
  }
  const name = nameOf(claims, issuer);
  const rights = rightsOf(claims, issuer);
  if (!rights) {
    const wanted = [...issuer.read, ...issuer.write].map((word) => JSON.stringify(word)).join(' nor ');
    return {
      refusal: {
        status: 403,
        message: `The token of ${name} has neither ${wanted} in ${issuer.rightsClaims.join(', ')}.`,
        hint: `Log in again and ask for ${issuer.scopes.join(' or ')}, or have the issuer's administrator grant it.`,
      },
    };
  }
  const expiresAt = (Number(claims.exp) + leewaySeconds) * 1_000;
  return {
    pass: {
      tokenId: callerId(issuer, sub),
      name,
      ...rights,
      issued: { issuer: issuer.url, keyId: header.kid, expiresAt },
    },
  };
}

const refused = (message: string, hint: string): Refusal => ({ status: 401, message, hint });

function unknownIssuer(given: unknown, issuers: readonly Issuer[]): Refusal {
  const same = issuers.find(({ url }) => url.replace(/\/$/, '') === String(given).replace(/\/$/, ''));
  const hint = same
    ? `Here ${JSON.stringify(same.url)} is trusted: the two differ by a slash. Correct the issuer in the config file.`
    : `Get a token of ${issuers.map(({ url }) => url).join(' or ')}.`;
  return refused(`This token is of the issuer ${JSON.stringify(given ?? null)}, which is not trusted here.`, hint);
}

/** The one mapping from what `jose` throws. */
function explain(error: unknown, { header, claims }: ReadToken, { url, audiences }: Issuer): Refusal {
  const again = 'Log in again to get a new one.';
  if (error instanceof KeysUnavailable) {
    return {
      status: 503,
      message: `This token cannot be checked now: ${url} does not answer (${error.message}).`,
      hint: 'Try again in some seconds. Tokens of this server itself (`agent-runtime token create`) are good meanwhile.',
    };
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return refused(
      `This token is signed with the key ${JSON.stringify(header.kid)}, which ${url} does not publish, or no longer.`,
      again,
    );
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return refused(
      `This token does not say by which of the keys of ${url} it is signed.`,
      'Have the issuer name it (kid).',
    );
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refused(`The signature of this token is not one of ${url}.`, 'Send it whole, as the issuer gave it.');
  }
  if (error instanceof errors.JWTExpired) return refused(`This token has ended${at(claims.exp)}.`, again);
  if (error instanceof errors.JWTClaimValidationFailed) return ofClaim(error, claims, audiences);
  if (error instanceof errors.JOSEError) {
    return refused(`This token cannot be accepted: ${error.message}.`, 'Send an access token as the issuer gave it.');
  }
  // What an issuer publishes may be no key that can be used.
  return refused(
    `This token cannot be checked by the key ${JSON.stringify(header.kid)} of ${url}: ${messageOf(error)}.`,
    'Have the issuer sign by a key of a usual kind and length, for RSA 2048 bits or more.',
  );
}

function ofClaim(
  { claim, message }: errors.JWTClaimValidationFailed,
  claims: JWTPayload,
  audiences: readonly string[],
): Refusal {
  if (claim === 'aud') {
    const given = claims.aud === undefined ? 'nobody by name' : JSON.stringify(claims.aud);
    return refused(
      `This token is for ${given} (aud), and not for this server.`,
      `Ask the issuer for one with the audience ${audiences.join(' or ')}.`,
    );
  }
  if (claim === 'nbf') {
    return refused(
      `This token is not valid yet${at(claims.nbf, ' before')}.`,
      'Wait until then, or set the clocks of the issuer and this host.',
    );
  }
  return refused(`This token has no ${claim} as it should: ${message}.`, 'Send an access token as the issuer gave it.');
}

/** A time of a claim, in seconds since 1970, that may be anything. */
function at(seconds: unknown, word = ' at'): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? '' : `${word} ${date.toISOString()}`;
}
