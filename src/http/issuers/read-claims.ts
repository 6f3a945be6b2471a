import { createHash } from 'node:crypto';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import type { Issuer } from '../../base/issuer-settings.js';
import { issuerCaller } from '../../core/access/pass.js';

/**
 * Why a token is none that gives access to whoever bears it, undefined for one that does. RFC 9068 marks access tokens by
 * `at+jwt`; many issuers do not, and are known by what else stands in their tokens.
 */
export function whyNoAccessToken({ typ }: ProtectedHeaderParameters, claims: JWTPayload): string | undefined {
  if (claims.cnf !== undefined)
    return 'This token is bound to a key of its holder (cnf), which cannot be checked here.';
  const type = typ?.toLowerCase().replace(/^application\//, '');
  if (type === 'at+jwt') return undefined;
  if (type !== undefined && type !== 'jwt')
    return `This token is of the type ${JSON.stringify(typ)}, which gives no access.`;
  // Keycloak says so in a claim, and has had `nonce` in its access tokens too.
  if (claims.typ === 'Bearer') return undefined;
  const isForClient = ['nonce', 'at_hash', 'c_hash', 's_hash'].some((claim) => claims[claim] !== undefined);
  if (claims.typ === 'ID' || claims.token_use === 'id' || isForClient) {
    return 'This is an ID token: it tells a client who somebody is, and gives no access.';
  }
  if (claims.typ !== undefined)
    return `This token is of the type ${JSON.stringify(claims.typ)}, which gives no access.`;
  return undefined;
}

/** What a token allows, by the issuer's mapping; undefined for nothing. */
export function rightsOf(
  claims: JWTPayload,
  { rightsClaims, read, write }: Issuer,
): { isReadOnly: boolean } | undefined {
  const given = new Set(rightsClaims.flatMap((claim) => wordsOf(claimAt(claims, claim))));
  if (write.some((word) => given.has(word))) return { isReadOnly: false };
  return read.some((word) => given.has(word)) ? { isReadOnly: true } : undefined;
}

/** `scope` is one text with blanks between (RFC 8693), `scp` of Entra too; others have lists. */
function wordsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

/** A claim by its name, which may have dots in it, or by the names on the way to it, such as `realm_access.roles`. */
function claimAt(claims: object, name: string): unknown {
  if (Object.hasOwn(claims, name)) return (claims as Record<string, unknown>)[name];
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const inner = Object.hasOwn(claims, name.slice(0, dot)) && (claims as Record<string, unknown>)[name.slice(0, dot)];
    if (typeof inner === 'object' && inner !== null) return claimAt(inner, name.slice(dot + 1));
  }
  return undefined;
}

/**
 * The caller's name in records, such as `ada (login.example.com)`. No token of the owner's making can have one with
 * parentheses, so none of them is mistaken for a person of an issuer, nor the other way round.
 */
export function nameOf(claims: JWTPayload, { nameClaims, name }: Issuer): string {
  const names = [...nameClaims, 'sub'].map((claim) => claimAt(claims, claim));
  const [first = 'unknown'] = names.flatMap((given) => (typeof given === 'string' ? plain(given) : []));
  return `${first} (${name})`;
}

/** Without what is not shown, and without parentheses. None for a text that has nothing else. */
function plain(text: string): string[] {
  const shown = text
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]|[()]/gu, '')
    .trim()
    .slice(0, longestName);
  return shown === '' ? [] : [shown];
}

const longestName = 60;

/** Tells callers apart: two tokens of one person have the same. */
export function callerId({ url }: Issuer, subject: string): string {
  return issuerCaller(
    createHash('sha256')
      .update(JSON.stringify([url, subject]))
      .digest('hex'),
  );
}
