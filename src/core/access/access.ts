import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';

/** A token for programs and other hosts. The token itself is not stored, only a hash. */
export interface AccessToken {
  id: string;
  name: string;
  isReadOnly: boolean;
  createdAt: EpochMs;
  lastUsedAt: EpochMs | null;
}

export interface NewToken {
  name: string;
  isReadOnly: boolean;
}

export interface CreatedToken {
  id: string;
  /** The secret that a caller presents. */
  token: string;
}

interface AccessNeeds {
  db: Database;
  clock: Clock;
}

interface TokenRow {
  id: string;
  name: string;
  hash: string;
  is_read_only: number;
  /** Set on a code, which is valid for one use. */
  expires_at: EpochMs | null;
  created_at: EpochMs;
  last_used_at: EpochMs | null;
}

const toToken = (row: TokenRow): AccessToken => ({
  id: row.id,
  name: row.name,
  isReadOnly: row.is_read_only === 1,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

export type Access = ReturnType<typeof createAccess>;

/** A token's last use is written at most this often: a write at every request would cost more than the request. */
const usePrecisionMs = 60_000;

/** Tokens that let a caller in over HTTP: 256 random bits each, kept as a hash. */
export function createAccess({ db, clock }: AccessNeeds) {
  return {
    /** Creates a token and returns it, which is the only time it can be read. Throws `conflict` for a name in use. */
    create: (token: NewToken, actor: Actor): Promise<CreatedToken> =>
      db.transaction((sql) => createToken(sql, token, actor, clock.now())),

    /** Creates a code that is valid for one use, for `lifeMs`: for a link that a program opens in a browser. */
    createCode: (lifeMs: number): Promise<string> =>
      db.transaction(async (sql) => {
        const now = clock.now();
        await sql.run('delete from access_tokens where expires_at <= ?', now);
        return (await addToken(sql, { name: 'code', isReadOnly: false }, now, now + lifeMs)).token;
      }),

    async list(): Promise<AccessToken[]> {
      const rows = await db.all<TokenRow>(
        'select * from access_tokens where expires_at is null order by created_at, id',
      );
      return rows.map(toToken);
    },

    /** Deletes a token by its id or name. Throws `not_found`. */
    revoke: (idOrName: string, actor: Actor): Promise<AccessToken> =>
      db.transaction((sql) => revokeToken(sql, idOrName, actor, clock.now())),

    /** What a token allows; undefined for a token that is not valid, or was revoked. */
    async verify(token: string): Promise<{ id: string; name: string; isReadOnly: boolean } | undefined> {
      const row = await findToken(db, token);
      if (!row || row.expires_at !== null) return undefined;
      const now = clock.now();
      if ((row.last_used_at ?? 0) < now - usePrecisionMs) {
        await db.transaction((sql) => sql.run('update access_tokens set last_used_at = ? where id = ?', now, row.id));
      }
      return { id: row.id, name: row.name, isReadOnly: row.is_read_only === 1 };
    },

    /** Uses up a code. Resolves to whether it was valid. */
    redeem: (code: string): Promise<boolean> =>
      db.transaction(async (sql) => {
        const row = await findToken(sql, code);
        if (!row || row.expires_at === null) return false;
        await sql.run('delete from access_tokens where id = ?', row.id);
        return row.expires_at > clock.now();
      }),
  };
}

async function createToken(sql: Sql, token: NewToken, actor: Actor, now: EpochMs): Promise<CreatedToken> {
  const known = await sql.get('select 1 from access_tokens where name = ? and expires_at is null', token.name);
  if (known) {
    throw new RuntimeError(
      'conflict',
      `There is a token named ${JSON.stringify(token.name)} already.`,
      'Choose another name, or revoke that one first.',
    );
  }
  const created = await addToken(sql, token, now, null);
  const data = { token: created.id, name: token.name, read_only: token.isReadOnly };
  await recordEvent(sql, { at: now, actor, ...accessSubject, type: 'token_created', data });
  return created;
}

async function revokeToken(sql: Sql, idOrName: string, actor: Actor, now: EpochMs): Promise<AccessToken> {
  const row = await sql.get<TokenRow>(
    'delete from access_tokens where (id = ? or name = ?) and expires_at is null returning *',
    idOrName,
    idOrName,
  );
  if (!row) {
    throw new RuntimeError(
      'not_found',
      `There is no token ${JSON.stringify(idOrName)}.`,
      '`agent-runtime token list` shows the tokens there are.',
    );
  }
  const data = { token: row.id, name: row.name };
  await recordEvent(sql, { at: now, actor, ...accessSubject, type: 'token_revoked', data });
  return toToken(row);
}

const accessSubject = { subject: 'runtime', subjectId: 'access' } as const;

async function addToken(
  sql: Sql,
  { name, isReadOnly }: NewToken,
  now: EpochMs,
  expiresAt: EpochMs | null,
): Promise<CreatedToken> {
  const id = newShortId();
  const secret = randomBytes(32).toString('base64url');
  await insertRow(sql, 'access_tokens', {
    id,
    name,
    hash: hashOf(secret),
    is_read_only: Number(isReadOnly),
    expires_at: expiresAt,
    created_at: now,
  });
  return { id, token: `${tokenPrefix}${id}_${secret}` };
}

/** Marks our tokens for people, and for programs that look for leaked secrets. */
const tokenPrefix = 'art_';

function idOf(token: string): string | undefined {
  return /^art_([0-9a-f]{12})_[\w-]{43}$/.exec(token)?.[1];
}

/** Finds the row by the token's id, so that only hashes are compared, and those in constant time. */
async function findToken(sql: Pick<Sql, 'get'>, token: string): Promise<TokenRow | undefined> {
  const id = idOf(token);
  if (id === undefined) return undefined;
  const row = await sql.get<TokenRow>('select * from access_tokens where id = ?', id);
  return row && isSame(hashOf(token.slice(tokenPrefix.length + id.length + 1)), row.hash) ? row : undefined;
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two secrets in constant time. */
export function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}
