import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';

/** A token for programs and other hosts, as lists show it: the token itself is stored nowhere. */
export interface AccessToken {
  id: string;
  name: string;
  isReadOnly: boolean;
  createdAt: number;
  lastUsedAt: number | null;
}

export interface NewToken {
  name: string;
  isReadOnly: boolean;
}

interface TokenRow {
  id: string;
  name: string;
  hash: string;
  is_read_only: number;
  expires_at: number | null;
  created_at: number;
  last_used_at: number | null;
}

export type Access = ReturnType<typeof createAccess>;

/** How exactly a token's last use is known: a row written at every request would cost more than the request. */
const usePrecisionMs = 60_000;

/** Tokens that let a caller in over HTTP: 256 random bits each, kept as a hash. */
export function createAccess({ db, clock }: { db: Database; clock: Clock }) {
  async function add(sql: Sql, { name, isReadOnly }: NewToken, expiresAt: number | null): Promise<string> {
    const id = newShortId();
    const secret = randomBytes(32).toString('base64url');
    await sql.run(
      'insert into access_tokens (id, name, hash, is_read_only, expires_at, created_at) values (?, ?, ?, ?, ?, ?)',
      id,
      name,
      hashOf(secret),
      Number(isReadOnly),
      expiresAt,
      clock.now(),
    );
    return `${tokenPrefix}${id}_${secret}`;
  }

  return {
    /** Makes a token and returns it, the only time that it is seen. Throws `conflict` for a name in use. */
    create: (token: NewToken, actor: Actor): Promise<{ id: string; token: string }> =>
      db.transaction(async (sql) => {
        const known = await sql.get('select 1 from access_tokens where name = ? and expires_at is null', token.name);
        if (known) {
          throw new RuntimeError(
            'conflict',
            `There is a token named ${JSON.stringify(token.name)} already.`,
            'Choose another name, or revoke that one first.',
          );
        }
        const made = await add(sql, token, null);
        const id = idOf(made) ?? '';
        const data = { token: id, name: token.name, read_only: token.isReadOnly };
        await recordEvent(sql, {
          at: clock.now(),
          actor,
          subject: 'runtime',
          subjectId: 'access',
          type: 'token_created',
          data,
        });
        return { id, token: made };
      }),

    /** A code that lets its owner in once, within its life: for an address handed from a program to a browser. */
    createCode: (lifeMs: number): Promise<string> =>
      db.transaction(async (sql) => {
        await sql.run('delete from access_tokens where expires_at <= ?', clock.now());
        return add(sql, { name: 'code', isReadOnly: false }, clock.now() + lifeMs);
      }),

    async list(): Promise<AccessToken[]> {
      const rows = await db.all<TokenRow>(
        'select * from access_tokens where expires_at is null order by created_at, id',
      );
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        isReadOnly: row.is_read_only === 1,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
      }));
    },

    /** Ends a token by its id or name, at once and for good. Throws `not_found`. */
    revoke: (idOrName: string, actor: Actor): Promise<AccessToken> =>
      db.transaction(async (sql) => {
        const row = await sql.get<TokenRow>(
          'delete from access_tokens where (id = ? or name = ?) and expires_at is null returning *',
          idOrName,
          idOrName,
        );
        if (!row) {
          throw new RuntimeError(
            'not_found',
            `There is no token ${JSON.stringify(idOrName)}.`,
            '`agent-runtime token list` shows those there are.',
          );
        }
        const data = { token: row.id, name: row.name };
        await recordEvent(sql, {
          at: clock.now(),
          actor,
          subject: 'runtime',
          subjectId: 'access',
          type: 'token_revoked',
          data,
        });
        return {
          id: row.id,
          name: row.name,
          isReadOnly: row.is_read_only === 1,
          createdAt: row.created_at,
          lastUsedAt: row.last_used_at,
        };
      }),

    /** What a token allows; nothing for one that is not, or no longer, good. */
    async verify(token: string): Promise<{ id: string; name: string; isReadOnly: boolean } | undefined> {
      const row = await findToken(db, token);
      if (!row || row.expires_at !== null) return undefined;
      const now = clock.now();
      if ((row.last_used_at ?? 0) < now - usePrecisionMs) {
        await db.transaction((sql) => sql.run('update access_tokens set last_used_at = ? where id = ?', now, row.id));
      }
      return { id: row.id, name: row.name, isReadOnly: row.is_read_only === 1 };
    },

    /** Takes a code for its one use; whether it was good. */
    redeem: (code: string): Promise<boolean> =>
      db.transaction(async (sql) => {
        const row = await findToken(sql, code);
        if (!row || row.expires_at === null) return false;
        await sql.run('delete from access_tokens where id = ?', row.id);
        return row.expires_at > clock.now();
      }),
  };
}

/** Tokens can be told from other secrets, by people and by programs that look for leaked ones. */
const tokenPrefix = 'art_';

function idOf(token: string): string | undefined {
  return /^art_([0-9a-f]{12})_[\w-]{43}$/.exec(token)?.[1];
}

/** Found by its id, so that only hashes are compared, and these in a time that tells nothing. */
async function findToken(sql: Pick<Sql, 'get'>, token: string): Promise<TokenRow | undefined> {
  const id = idOf(token);
  if (id === undefined) return undefined;
  const row = await sql.get<TokenRow>('select * from access_tokens where id = ?', id);
  return row && isSame(hashOf(token.slice(tokenPrefix.length + id.length + 1)), row.hash) ? row : undefined;
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two secrets in a time that does not depend on where they differ. */
export function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}
