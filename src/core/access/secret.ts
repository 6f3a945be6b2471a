import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { newShortId } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';

/** What a secret of ours is for. The prefix marks it for people, and for programs that look for leaked secrets. */
export type SecretKind = 'token' | 'code' | 'browser';

const prefixes: Readonly<Record<SecretKind, string>> = { token: 'art', code: 'arc', browser: 'arb' };
const tables: Readonly<Record<SecretKind, string>> = {
  token: 'access_tokens',
  code: 'access_codes',
  browser: 'browser_sessions',
};

/** A new secret of 256 random bits, `art_ID_SECRET`. Only its id and hash are stored. */
export function newSecret(kind: SecretKind): { id: string; secret: string; hash: string } {
  const id = newShortId();
  const random = randomBytes(32).toString('base64url');
  return { id, secret: `${prefixes[kind]}_${id}_${random}`, hash: hashOf(random) };
}

/** Whether a text has the form of a secret of this kind. */
export const isSecretOf = (kind: SecretKind, text: string): boolean => partsOf(text)?.prefix === prefixes[kind];

/** What a secret is made of; undefined for a text that is none. */
export function partsOf(secret: string): { prefix: string; id: string; random: string } | undefined {
  const [, prefix, id, random] = /^(ar[tcb])_([0-9a-f]{12})_([\w-]{43})$/.exec(secret) ?? [];
  return prefix === undefined || id === undefined || random === undefined ? undefined : { prefix, id, random };
}

/** The row of a secret of this kind. It is found by its id, so that only hashes are compared, and those in constant time. */
export async function findSecret<Row extends { hash: string }>(
  sql: Pick<Sql, 'get'>,
  kind: SecretKind,
  secret: string,
): Promise<Row | undefined> {
  const { prefix, id = '', random = '' } = partsOf(secret) ?? {};
  if (prefix !== prefixes[kind]) return undefined;
  const row = await sql.get<Row>(`select * from ${tables[kind]} where id = ?`, id);
  return row && isSame(hashOf(random), row.hash) ? row : undefined;
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two secrets in constant time. */
export function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}
